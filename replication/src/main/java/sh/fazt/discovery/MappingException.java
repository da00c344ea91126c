package sh.fazt.discovery;

/** A router does not speak that protocol, or says no; the message says which. */
final class MappingException extends Exception {
    private static final long serialVersionUID = 1L;

    MappingException(String message) {
        super(message);
    }

    MappingException(String message, Throwable cause) {
        super(message, cause);
    }
}
