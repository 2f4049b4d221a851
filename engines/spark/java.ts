import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const WANTED = 17;
const HOMES = '/usr/lib/jvm';

/** The major version of a Java: 17 of `17.0.15`, 8 of `1.8.0`. Nothing where it does not run. */
function versionOf(java: string): number | undefined {
  const { stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(stderr ?? '') ?? [];
  return first === undefined ? undefined : Number(first === '1' ? second : first);
}

/** The home folder of a Java 17 (empty: the one on the PATH), or what is missing. */
export function findJava(): { readonly home: string } | { readonly missing: string } {
  const own = process.env.JAVA_HOME;
  const installed = existsSync(HOMES)
    ? readdirSync(HOMES)
        .filter((name) => name.includes(String(WANTED)))
        .map((name) => join(HOMES, name))
    : [];
  const candidates = [...(own ? [own] : []), '', ...installed];
  const found = candidates.map(
    (home) => [home, versionOf(home ? join(home, 'bin', 'java') : 'java')] as const,
  );
  const fits = found.find(([, version]) => version === WANTED);
  if (fits) return { home: fits[0] };
  const others = found.flatMap(([, version]) => (version === undefined ? [] : [`Java ${version}`]));
  const here = others.length > 0 ? `here is ${others.join(' and ')}` : 'there is none here';
  return {
    missing: `Spark needs Java ${WANTED}, and ${here}. On Debian and Ubuntu: sudo apt install openjdk-17-jre-headless. Elsewhere set JAVA_HOME to a Java ${WANTED}`,
  };
}
