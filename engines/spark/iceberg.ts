import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runTool, VENV } from '../python';

/** Of the Iceberg that Glue 6.0 has. */
const [GROUP, NAME, VERSION] = ['org.apache.iceberg', 'iceberg-spark-runtime-4.1_2.13', '1.11.0'] as const;
/** Beside the PySpark that it is for, by its version: Java takes no classes that were kept with another jar. */
const FOLDER = join(VENV, 'iceberg', VERSION);
export const ICEBERG_JAR = join(FOLDER, `${NAME}-${VERSION}.jar`);
/** Where Java keeps the classes of Spark and Iceberg as they are in memory, which the first run makes. */
export const CLASSES = join(FOLDER, 'classes.jsa');

/**
 * Fetches Iceberg's jar from Maven's central repository, by the Ivy that PySpark brings, where it is not there yet.
 * Gives the reason where that does not work.
 */
export function installIceberg(java: string, say: (text: string) => void): string | undefined {
  if (existsSync(ICEBERG_JAR)) return undefined;
  say(`fetching ${NAME} ${VERSION} …`);
  const unfinished = `${FOLDER}.${process.pid}`;
  const found = runTool(java, [
    '-jar',
    ivy(),
    ...['-cache', join(unfinished, 'cache')],
    ...['-dependency', GROUP, NAME, VERSION],
    ...['-confs', 'default'],
    ...['-retrieve', join(unfinished, '[artifact]-[revision].[ext]')],
  ]);
  const jar = join(unfinished, `${NAME}-${VERSION}.jar`);
  // It appears whole: another process may look for it.
  if (existsSync(jar)) {
    mkdirSync(FOLDER, { recursive: true });
    renameSync(jar, ICEBERG_JAR);
  }
  rmSync(unfinished, { recursive: true, force: true });
  if (existsSync(ICEBERG_JAR)) return undefined;
  const why = found.text
    .split('\n')
    .filter((line) => /error|not found|exception/i.test(line))
    .slice(0, 3);
  return `${GROUP}:${NAME}:${VERSION} cannot be had from Maven's central repository:\n${why.join('\n')}`;
}

function ivy(): string {
  const lib = join(VENV, 'lib');
  const jars = join(
    lib,
    readdirSync(lib).find((name) => name.startsWith('python')) ?? '',
    'site-packages',
    'pyspark',
    'jars',
  );
  return join(jars, readdirSync(jars).find((name) => name.startsWith('ivy-')) ?? '');
}
