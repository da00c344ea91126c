package sh.fazt.node.error;

import io.grpc.Status;

/** What a caller can do about a problem, in the words of every surface: HTTP status, gRPC code, exit code. */
public enum Kind {
    /** What was sent breaks a rule: change it. */
    INVALID(400, Status.Code.INVALID_ARGUMENT, 2),
    /** Say who you are. */
    UNAUTHENTICATED(401, Status.Code.UNAUTHENTICATED, 1),
    /** Known, and not allowed. */
    FORBIDDEN(403, Status.Code.PERMISSION_DENIED, 1),
    NOT_FOUND(404, Status.Code.NOT_FOUND, 1),
    /** There is such a thing, and it can't do this. */
    NO_SUCH_METHOD(405, Status.Code.UNIMPLEMENTED, 2),
    /** It is in another state than this needs: look first. */
    CONFLICT(409, Status.Code.FAILED_PRECONDITION, 1),
    /** Larger than a limit: never. */
    TOO_LARGE(413, Status.Code.OUT_OF_RANGE, 1),
    /** Sent in a form that is not understood. */
    UNSUPPORTED(415, Status.Code.INVALID_ARGUMENT, 2),
    /** Understood, and wrong in itself: program text that does not compile. */
    UNPROCESSABLE(422, Status.Code.INVALID_ARGUMENT, 1),
    /** Too often: later. */
    TOO_MANY(429, Status.Code.RESOURCE_EXHAUSTED, 75),
    /** A mistake of the node or of an app on it. */
    INTERNAL(500, Status.Code.INTERNAL, 70),
    /** Another node can't be reached or fails: later. */
    UPSTREAM(502, Status.Code.UNAVAILABLE, 75),
    /** No room now: in a moment. */
    OVERLOADED(503, Status.Code.RESOURCE_EXHAUSTED, 75),
    /** Not possible in the state of this node or its swarm: later, or ask the operator. */
    UNAVAILABLE(503, Status.Code.UNAVAILABLE, 75),
    /** It took too long; it may still happen. */
    TIMEOUT(504, Status.Code.DEADLINE_EXCEEDED, 75),
    /** The disk is full or read-only: ask the operator. */
    NO_STORAGE(507, Status.Code.RESOURCE_EXHAUSTED, 74);

    private final int status;
    private final Status.Code grpc;
    private final int exit;

    Kind(int status, Status.Code grpc, int exit) {
        this.status = status;
        this.grpc = grpc;
        this.exit = exit;
    }

    /** The HTTP status. */
    public int status() {
        return status;
    }

    public Status.Code grpc() {
        return grpc;
    }

    /** What a process that ends with this exits with, after {@code sysexits.h} where that has a word. */
    public int exit() {
        return exit;
    }

    /** Whether the same may succeed in a moment. */
    public boolean retry() {
        return this == TOO_MANY || this == OVERLOADED || this == UNAVAILABLE;
    }
}
