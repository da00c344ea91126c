package sh.fazt.cartridge;

/** The cartridge could not do what was asked. */
public final class CartridgeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    public CartridgeException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    public CartridgeException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }

    /** What the caller can do. */
    public enum Reason {
        /** The write queue is full: retry in a moment. */
        OVERLOADED,
        /** A transaction larger than 64 MiB: never; split it. */
        TOO_LARGE,
        /** The disk is full or the file is read-only: writes are refused until space returns. */
        NOT_WRITABLE,
        /** Another process has this file; the message names it. */
        IN_USE,
        /** Written by a newer fazt: upgrade the executable. */
        NEWER_VERSION,
        /** Not a cartridge, or damaged: restore a backup. */
        DAMAGED,
        /** This cartridge is closed. */
        CLOSED
    }
}
