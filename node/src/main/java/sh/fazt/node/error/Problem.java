package sh.fazt.node.error;

import java.util.Map;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.hosting.HostingException;
import sh.fazt.hosting.release.SyntaxException;
import sh.fazt.link.LinkException;
import sh.fazt.runtime.Result;

/**
 * What a caller is told: what it can do, public code, message. The one mapper from every room's reasons. The
 * switches have no default, so that a new reason does not compile until it is mapped. Immutable.
 *
 * @param details more for programs; empty for most
 */
public record Problem(Kind kind, String code, String message, Map<String, Object> details) {
    public Problem(Kind kind, String code, String message) {
        this(kind, code, message, Map.of());
    }

    /** The HTTP status. */
    public int status() {
        return kind.status();
    }

    /** An exception that carries a problem of the surface itself. */
    public static final class Thrown extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final transient Problem problem;

        public Thrown(Kind kind, String code, String message) {
            this(new Problem(kind, code, message));
        }

        public Thrown(Problem problem) {
            super(problem.message());
            this.problem = problem;
        }

        public Problem problem() {
            return problem;
        }
    }

    /** The problem that an exception stands for; an internal one without details for what nobody expected. */
    public static Problem of(Throwable thrown) {
        String message = String.valueOf(thrown.getMessage());
        if (thrown instanceof Thrown own) {
            return own.problem();
        } else if (thrown instanceof CartridgeException e) {
            return of(e.reason(), message);
        } else if (thrown instanceof HostingException e) {
            return of(e.reason(), message);
        } else if (thrown instanceof LinkException e) {
            return of(e.reason(), message);
        } else if (thrown instanceof ConsensusException e) {
            return of(e.reason(), message);
        } else if (thrown instanceof SyntaxException e) {
            return new Problem(Kind.UNPROCESSABLE, "SYNTAX_ERROR", message, Map.of("problems", e.problems()));
        } else if (thrown instanceof Blobs.Mismatch) {
            return new Problem(Kind.INVALID, "CONTENT_MISMATCH", message);
        }
        return new Problem(Kind.INTERNAL, "INTERNAL_ERROR", "something went wrong here; the node's log says what");
    }

    static Problem of(CartridgeException.Reason reason, String message) {
        return switch (reason) {
            case OVERLOADED -> new Problem(Kind.OVERLOADED, "SERVICE_UNAVAILABLE", message);
            case TOO_LARGE -> new Problem(Kind.TOO_LARGE, "PAYLOAD_TOO_LARGE", message);
            case NOT_WRITABLE -> new Problem(Kind.NO_STORAGE, "NOT_WRITABLE", message);
            case IN_USE -> new Problem(Kind.UNAVAILABLE, "CARTRIDGE_IN_USE", message);
            case NEWER_VERSION -> new Problem(Kind.UNAVAILABLE, "CARTRIDGE_NEWER", message);
            case DAMAGED -> new Problem(Kind.UNAVAILABLE, "CARTRIDGE_DAMAGED", message);
            case CLOSED -> new Problem(Kind.UNAVAILABLE, "STOPPING", message);
        };
    }

    static Problem of(HostingException.Reason reason, String message) {
        return switch (reason) {
            case NOT_FOUND -> new Problem(Kind.NOT_FOUND, "NOT_FOUND", message);
            case INVALID -> new Problem(Kind.INVALID, "VALIDATION_FAILED", message);
            case EXISTS -> new Problem(Kind.CONFLICT, "CONFLICT", message);
            case TOO_LARGE -> new Problem(Kind.TOO_LARGE, "PAYLOAD_TOO_LARGE", message);
            case BAD_CREDENTIALS -> new Problem(Kind.UNAUTHENTICATED, "INVALID_CREDENTIALS", message);
            case TOO_MANY_ATTEMPTS -> new Problem(Kind.TOO_MANY, "RATE_LIMIT_EXCEEDED", message);
        };
    }

    static Problem of(LinkException.Reason reason, String message) {
        return switch (reason) {
            case UNREACHABLE -> new Problem(Kind.UPSTREAM, "PEER_UNREACHABLE", message);
            case BROKEN -> new Problem(Kind.UPSTREAM, "PEER_LOST", message);
            case TIMEOUT -> new Problem(Kind.TIMEOUT, "PEER_TIMEOUT", message);
            case REFUSED -> new Problem(Kind.CONFLICT, "PEER_REFUSED", message);
            case TOO_LARGE -> new Problem(Kind.TOO_LARGE, "PAYLOAD_TOO_LARGE", message);
            case CLOSED -> new Problem(Kind.UNAVAILABLE, "STOPPING", message);
        };
    }

    static Problem of(ConsensusException.Reason reason, String message) {
        return switch (reason) {
            case NO_QUORUM -> new Problem(Kind.UNAVAILABLE, "NO_QUORUM", message);
            case NOT_MEMBER -> new Problem(Kind.CONFLICT, "NOT_MEMBER", message);
            case STORAGE -> new Problem(Kind.UNAVAILABLE, "CONSENSUS_STORAGE", message);
            case CHANGE_FAILED -> new Problem(Kind.UNAVAILABLE, "CHANGE_FAILED", message);
        };
    }

    /** What the swarm's refusal means. */
    public static Problem of(Refusal reason, String message) {
        return switch (reason) {
            case NO_QUORUM -> new Problem(Kind.UNAVAILABLE, "NO_QUORUM", message);
            case UNREACHABLE -> new Problem(Kind.UPSTREAM, "PEER_UNREACHABLE", message);
            case TIMEOUT -> new Problem(Kind.TIMEOUT, "NOT_AGREED_IN_TIME", message);
            case BAD_TOKEN -> new Problem(Kind.INVALID, "INVALID_TOKEN", message);
            case IN_SWARM -> new Problem(Kind.CONFLICT, "IN_SWARM", message);
            case ALONE -> new Problem(Kind.CONFLICT, "ALONE", message);
            case NOT_FOUND -> new Problem(Kind.NOT_FOUND, "NOT_FOUND", message);
            case INVALID -> new Problem(Kind.INVALID, "VALIDATION_FAILED", message);
            case CONFLICT -> new Problem(Kind.CONFLICT, "CONFLICT", message);
        };
    }

    /** What a function that did not answer means to its visitor. */
    public static Problem of(Result.Failed failed) {
        return of(failed.reason(), failed.message());
    }

    static Problem of(Result.Reason reason, String message) {
        return switch (reason) {
            case NO_ENTRY -> new Problem(Kind.NOT_FOUND, "NO_FUNCTION", message);
            case SYNTAX -> new Problem(Kind.INTERNAL, "SYNTAX_ERROR", message);
            case THREW -> new Problem(Kind.INTERNAL, "FUNCTION_FAILED", message);
            case TIMEOUT -> new Problem(Kind.TIMEOUT, "FUNCTION_TIMEOUT", message);
            case RECURSION -> new Problem(Kind.INTERNAL, "FUNCTION_RECURSION", message);
            case MEMORY -> new Problem(Kind.INTERNAL, "FUNCTION_MEMORY", message);
            case UNSERIALISABLE -> new Problem(Kind.INTERNAL, "FUNCTION_RESULT", message);
            case TOO_LARGE -> new Problem(Kind.INTERNAL, "FUNCTION_RESULT_TOO_LARGE", message);
            case BAD_REQUEST -> new Problem(Kind.INVALID, "BAD_REQUEST", message);
            case NO_STORAGE -> new Problem(Kind.NO_STORAGE, "NOT_WRITABLE", message);
            case OVERLOADED -> new Problem(Kind.OVERLOADED, "SERVICE_UNAVAILABLE", message);
        };
    }
}
