export async function initCommand(dir: string): Promise<void> {
  throw new Error(dir);
}
