package sh.fazt.link;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/** How a member keeps its peers busy against the rules of a link; see {@code DESIGN.md}. */
public enum Fault {
    OVERSIZED("sends more in one piece than is taken"),
    BEYOND_CREDIT("sends more than it has credit for"),
    MALFORMED("sends what makes no sense"),
    PRETENDS("speaks as the leader of a group in which it has no vote"),
    /** Against no rule, and it may be this node that is slow: no offence. */
    FLOOD("sends faster than this node takes it");

    private final String text;

    Fault(String text) {
        this.text = text;
    }

    /** What the member does, for people. */
    public String text() {
        return text;
    }

    /** What was wrong with a frame by which gRPC ended a stream on this side; null when nothing was. */
    static @Nullable Fault of(Status status) {
        for (Throwable at = status.getCause(); at != null; at = at.getCause()) {
            if (at instanceof InvalidProtocolBufferException) {
                return MALFORMED;
            }
        }
        String why = status.getDescription();
        boolean large = status.getCode() == Status.Code.RESOURCE_EXHAUSTED
                && why != null
                && why.startsWith("gRPC message exceeds maximum size");
        return large ? OVERSIZED : null;
    }
}
