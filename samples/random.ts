import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

export type Random = RandomGenerator;

/** Endless sequences of random numbers that never overlap: the nth depends on the seed and n alone. */
export function* randomStreams(seed: number): Generator<Random, never> {
  const source = xoroshiro128plus(seed);
  for (;;) {
    source.jump();
    yield source.clone();
  }
}

/** A whole number from `from` to `to`, both included. */
export const whole = (random: Random, from: number, to: number): number => uniformInt(random, from, to);

/** From 0, included, to 1, excluded. */
export const fraction = (random: Random): number => uniformFloat64(random);

export const chance = (random: Random, probability: number): boolean => uniformFloat64(random) < probability;

export const pick = <T>(random: Random, choices: readonly [T, ...T[]]): T =>
  choices[uniformInt(random, 0, choices.length - 1)] as T;

/** 128 random bits, written as a UUID is. */
export function uuid(random: Random): string {
  const hex = Array.from({ length: 4 }, () =>
    uniformInt(random, 0, 0xffff_ffff).toString(16).padStart(8, '0'),
  );
  return hex.join('').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
