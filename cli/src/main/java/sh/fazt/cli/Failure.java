package sh.fazt.cli;

/** A command that could not do what was asked: its exit code and what to tell the user on stderr. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final int exitCode;
    private final int status;

    private Failure(int exitCode, int status, String message) {
        super(message);
        this.exitCode = exitCode;
        this.status = status;
    }

    /** It was tried and did not work: exit code 1. */
    static Failure failed(String message) {
        return new Failure(1, 0, message);
    }

    /** The node refused it with that HTTP status: exit code 1. */
    static Failure refused(int status, String message) {
        return new Failure(1, status, message);
    }

    /** It ended in a way that has an exit code of its own. */
    static Failure ended(int exitCode, String message) {
        return new Failure(exitCode, 0, message);
    }

    /** It was asked for in a way that means nothing: exit code 2. */
    static Failure usage(String message) {
        return new Failure(2, 0, message);
    }

    int exitCode() {
        return exitCode;
    }

    /** With which HTTP status the node refused; 0 when it did not answer or was not asked. */
    int status() {
        return status;
    }
}
