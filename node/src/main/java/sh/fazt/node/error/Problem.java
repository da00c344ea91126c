package sh.fazt.node.error;

import java.util.Map;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.hosting.HostingException;
import sh.fazt.hosting.release.SyntaxException;
import sh.fazt.runtime.Result;

/**
 * What a caller is told: HTTP status, public code, message. The switches have no default, so that a new reason
 * does not compile until it is mapped. Immutable.
 *
 * @param details more for programs; empty for most
 */
public record Problem(int status, String code, String message, Map<String, Object> details) {
    public Problem(int status, String code, String message) {
        this(status, code, message, Map.of());
    }

    /** An exception that carries a problem of the surface itself. */
    public static final class Thrown extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient Problem problem;

        public Thrown(int status, String code, String message) {
            super(message);
            this.problem = new Problem(status, code, message);
        }

        public Problem problem() {
            return problem;
        }
    }

    /** The problem that an exception stands for; a 500 without details for what nobody expected. */
    public static Problem of(Throwable thrown) {
        if (thrown instanceof Thrown own) {
            return own.problem();
        }
        String message = String.valueOf(thrown.getMessage());
        if (thrown instanceof CartridgeException e) {
            return switch (e.reason()) {
                case OVERLOADED -> new Problem(503, "SERVICE_UNAVAILABLE", message);
                case TOO_LARGE -> new Problem(413, "PAYLOAD_TOO_LARGE", message);
                case NOT_WRITABLE -> new Problem(507, "NOT_WRITABLE", message);
                case IN_USE, NEWER_VERSION, DAMAGED, CLOSED -> new Problem(503, "SERVICE_UNAVAILABLE", message);
            };
        }
        if (thrown instanceof HostingException e) {
            return switch (e.reason()) {
                case NOT_FOUND -> new Problem(404, "NOT_FOUND", message);
                case INVALID -> new Problem(400, "VALIDATION_FAILED", message);
                case TOO_LARGE -> new Problem(413, "PAYLOAD_TOO_LARGE", message);
                case BAD_CREDENTIALS -> new Problem(401, "INVALID_CREDENTIALS", message);
                case TOO_MANY_ATTEMPTS -> new Problem(429, "RATE_LIMIT_EXCEEDED", message);
            };
        }
        if (thrown instanceof SyntaxException e) {
            return new Problem(422, "SYNTAX_ERROR", message, Map.of("problems", e.problems()));
        }
        if (thrown instanceof Blobs.Mismatch) {
            return new Problem(400, "CONTENT_MISMATCH", message);
        }
        return new Problem(500, "INTERNAL_ERROR", "something went wrong here; the node's log says what");
    }

    /** What a function that did not answer means to its visitor. */
    public static Problem of(Result.Failed failed) {
        String message = failed.message();
        return switch (failed.reason()) {
            case NO_ENTRY -> new Problem(404, "NO_FUNCTION", message);
            case SYNTAX -> new Problem(500, "SYNTAX_ERROR", message);
            case THREW -> new Problem(500, "FUNCTION_FAILED", message);
            case TIMEOUT -> new Problem(504, "FUNCTION_TIMEOUT", message);
            case RECURSION -> new Problem(500, "FUNCTION_RECURSION", message);
            case MEMORY -> new Problem(500, "FUNCTION_MEMORY", message);
            case UNSERIALISABLE -> new Problem(500, "FUNCTION_RESULT", message);
            case TOO_LARGE -> new Problem(500, "FUNCTION_RESULT_TOO_LARGE", message);
            case BAD_REQUEST -> new Problem(400, "BAD_REQUEST", message);
            case OVERLOADED -> new Problem(503, "SERVICE_UNAVAILABLE", message);
        };
    }
}
