package sh.fazt.cartridge.change;

/**
 * Names one committed transaction. Immutable.
 *
 * @param scope    what it wrote in
 * @param origin   whose history it is in
 * @param sequence 1, 2, 3 ... per scope and origin, without holes, never reused
 */
public record Dot(Scope scope, Origin origin, long sequence) {}
