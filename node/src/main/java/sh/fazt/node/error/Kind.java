package sh.fazt.node.error;

import io.grpc.Status;

/** What a caller can do about a problem, in the words of every surface: HTTP status and gRPC code. */
public enum Kind {
    /** What was sent breaks a rule: change it. */
    INVALID(400, Status.Code.INVALID_ARGUMENT),
    /** Say who you are. */
    UNAUTHENTICATED(401, Status.Code.UNAUTHENTICATED),
    /** Known, and not allowed. */
    FORBIDDEN(403, Status.Code.PERMISSION_DENIED),
    NOT_FOUND(404, Status.Code.NOT_FOUND),
    /** There is such a thing, and it can't do this. */
    NO_SUCH_METHOD(405, Status.Code.UNIMPLEMENTED),
    /** It is in another state than this needs: look first. */
    CONFLICT(409, Status.Code.FAILED_PRECONDITION),
    /** Larger than a limit: never. */
    TOO_LARGE(413, Status.Code.OUT_OF_RANGE),
    /** Another node has it: ask there. */
    ELSEWHERE(421, Status.Code.FAILED_PRECONDITION),
    /** Sent in a form that is not understood. */
    UNSUPPORTED(415, Status.Code.INVALID_ARGUMENT),
    /** Understood, and wrong in itself: program text that does not compile. */
    UNPROCESSABLE(422, Status.Code.INVALID_ARGUMENT),
    /** Too often: later. */
    TOO_MANY(429, Status.Code.RESOURCE_EXHAUSTED),
    /** A mistake of the node or of an app on it. */
    INTERNAL(500, Status.Code.INTERNAL),
    /** Another node can't be reached or fails: later. */
    UPSTREAM(502, Status.Code.UNAVAILABLE),
    /** No room now: in a moment. */
    OVERLOADED(503, Status.Code.RESOURCE_EXHAUSTED),
    /** Not possible in the state of this node or its swarm: later, or ask the operator. */
    UNAVAILABLE(503, Status.Code.UNAVAILABLE),
    /** It took too long; it may still happen. */
    TIMEOUT(504, Status.Code.DEADLINE_EXCEEDED),
    /** The disk is full or read-only: ask the operator. */
    NO_STORAGE(507, Status.Code.RESOURCE_EXHAUSTED);

    private final int status;
    private final Status.Code grpc;

    Kind(int status, Status.Code grpc) {
        this.status = status;
        this.grpc = grpc;
    }

    /** The HTTP status. */
    public int status() {
        return status;
    }

    public Status.Code grpc() {
        return grpc;
    }

    /** Whether the same may succeed in a moment. */
    public boolean retry() {
        return this == TOO_MANY || this == OVERLOADED || this == UNAVAILABLE;
    }
}
