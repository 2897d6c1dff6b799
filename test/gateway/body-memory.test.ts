import { describe, expect, it } from 'vitest';
import { InvalidConfig } from '../../src/config/config.ts';
import { bodyMemoryBytes } from '../../src/gateway/body-memory.ts';

const MIB = 1024 * 1024;

describe('the memory for the bodies of all requests', () => {
  it('is 512 MiB by default', () => {
    expect(bodyMemoryBytes({ maxBodyBytes: 20 * MIB, maxBodyMemoryBytes: undefined })).toBe(512 * MIB);
  });

  it('grows with the largest body by default', () => {
    expect(bodyMemoryBytes({ maxBodyBytes: 200 * MIB, maxBodyMemoryBytes: undefined })).toBeGreaterThan(1000 * MIB);
  });

  it('is refused if one body does not fit', () => {
    const tooSmall = () => bodyMemoryBytes({ maxBodyBytes: 20 * MIB, maxBodyMemoryBytes: 20 * MIB });
    expect(tooSmall).toThrow(InvalidConfig);
    expect(tooSmall).toThrow(/^MAX_BODY_MEMORY_BYTES: must be at least \d+/);
    expect(bodyMemoryBytes({ maxBodyBytes: MIB, maxBodyMemoryBytes: 20 * MIB })).toBe(20 * MIB);
  });
});
