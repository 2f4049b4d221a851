/** Changes the arguments of one resource: some of them, or all by a function. */
export type Transform<Args> = Partial<Args> | ((args: Args) => Args);

/**
 * A resource's arguments as the component makes them, changed by its user. What the component promises stays:
 * `promised` names the arguments that a transform cannot touch.
 */
export function transformed<Args extends object>(
  args: Args,
  transform: Transform<Args> | undefined,
  promised: readonly (keyof Args)[] = [],
): Args {
  const changed = typeof transform === 'function' ? transform({ ...args }) : { ...args, ...transform };
  for (const key of promised) {
    if (Object.hasOwn(args, key)) changed[key] = args[key];
    else delete changed[key];
  }
  return changed;
}
