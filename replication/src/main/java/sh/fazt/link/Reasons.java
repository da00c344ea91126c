package sh.fazt.link;

import io.grpc.Status;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** Failures of the network, in a line for people. Stateless. */
final class Reasons {
    private static final int MAX_FROM_PEER = 300;

    private Reasons() {}

    /** What gRPC says is "io exception"; what happened is its deepest cause. */
    static String of(Throwable error) {
        WrongKeyException wrongKey = wrongKey(error);
        if (wrongKey != null) {
            return String.valueOf(wrongKey.getMessage());
        }
        String stranger = Stranger.of(error);
        if (stranger == null) {
            stranger = Stranger.suspected(error);
        }
        return stranger == null ? deepest(error) : stranger;
    }

    static String deepest(Throwable error) {
        Throwable deepest = error;
        while (deepest.getCause() != null && deepest.getCause() != deepest) {
            deepest = deepest.getCause();
        }
        if (deepest == error || deepest.getMessage() == null) {
            Status status = Status.fromThrowable(error);
            String description = status.getDescription();
            return description == null ? status.getCode().toString() : oneLine(description);
        }
        return oneLine(String.valueOf(deepest.getMessage()));
    }

    /** The failure of a handler, as its asker should read it. */
    static String ofHandler(Throwable error) {
        Throwable cause = error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }

    /** What a peer says is shown and logged: one line of a bearable length, without anything that moves a cursor. */
    static String fromPeer(String text) {
        String printable = oneLine(text).replaceAll("\\p{Cntrl}", "?");
        return printable.length() <= MAX_FROM_PEER ? printable : printable.substring(0, MAX_FROM_PEER) + "...";
    }

    static @Nullable WrongKeyException wrongKey(Throwable error) {
        for (Throwable at = error; at != null; at = at.getCause()) {
            if (at instanceof WrongKeyException wrong) {
                return wrong;
            }
        }
        return null;
    }

    private static String oneLine(String text) {
        int end = text.indexOf('\n');
        return end < 0 ? text : text.substring(0, end);
    }
}
