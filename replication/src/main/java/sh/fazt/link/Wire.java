package sh.fazt.link;

import com.google.protobuf.ByteString;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Goodbye;

/** The numbers of the wire. They are never reused. */
final class Wire {
    static final int OLDEST_PROTOCOL = 1;
    static final int NEWEST_PROTOCOL = 1;
    static final int CAPABILITY_LEVEL = 1;

    static final int HELLO = 1;
    static final int PING = 2;
    static final int PONG = 3;
    static final int MESSAGE = 4;
    static final int REQUEST = 5;
    static final int ANSWER = 6;
    static final int REFUSAL = 7;
    static final int BUSY = 8;
    static final int GOODBYE = 9;

    /** What one frame carries at most. */
    static final int MAX_BODY = 64 << 10;
    /** What one message is at most: what one ask or send may cost its receiver. */
    static final int MAX_MESSAGE = 4 << 20;
    /** A frame with its other fields; more is not read into memory by the dialling side. */
    static final int MAX_FRAME = MAX_BODY + 4096;

    static final int NOT_MEMBER = 1;
    static final int OTHER_SWARM = 2;
    static final int PROTOCOL = 3;
    static final int COPY = 4;
    static final int LINKED = 5;
    static final int STOPPING = 6;
    static final int OUT_OF_PLACE = 7;

    private Wire() {}

    static Frame frame(int kind, long id, ByteString body) {
        return Frame.newBuilder().setKind(kind).setId(id).setBody(body).build();
    }

    static Frame goodbye(int code, String message) {
        return frame(
                GOODBYE,
                0,
                Goodbye.newBuilder().setCode(code).setMessage(message).build().toByteString());
    }
}
