package sh.fazt.consensus;

/**
 * One agreed record. Immutable by agreement: the bytes are shared.
 *
 * @param version 1 or more; every change makes it larger, also when the record was deleted in between
 */
public record ConfigEntry(String kind, String key, long version, byte[] value) {}
