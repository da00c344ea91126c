package sh.fazt.cli;

/** A command that could not do what was asked: its exit code and what to tell the user on stderr. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final int exitCode;

    private Failure(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    /** It was tried and did not work: exit code 1. */
    static Failure failed(String message) {
        return new Failure(1, message);
    }

    /** It was asked for in a way that means nothing: exit code 2. */
    static Failure usage(String message) {
        return new Failure(2, message);
    }

    int exitCode() {
        return exitCode;
    }
}
