package sh.fazt.link;

import com.google.protobuf.ByteString;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Goodbye;

/** The numbers of the wire. They are never reused. */
final class Wire {
    static final int OLDEST_PROTOCOL = 1;
    static final int NEWEST_PROTOCOL = 1;
    static final int CAPABILITY_LEVEL = 2;
    /** From this level on a node relays, moves links, and knows books and statuses. */
    static final int RELAYS = 2;

    static final int HELLO = 1;
    static final int PING = 2;
    static final int PONG = 3;
    static final int MESSAGE = 4;
    static final int REQUEST = 5;
    static final int ANSWER = 6;
    static final int REFUSAL = 7;
    static final int BUSY = 8;
    static final int GOODBYE = 9;
    /** To the relay: begins a stream to the named node. */
    static final int RELAY_OPEN = 10;
    /** From the relay: a stream of the named node begins. */
    static final int RELAY_COMING = 11;

    static final int RELAY_ACCEPT = 12;
    static final int RELAY_DATA = 13;
    static final int RELAY_CREDIT = 14;
    static final int RELAY_END = 15;
    /** The last of a lane whose messages go on in the link that replaces this one. */
    static final int MOVED = 16;

    static final int STATUS = 17;
    static final int BOOK = 18;

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
    /** Another link has taken its place. */
    static final int REPLACED = 8;

    /** The dialling node was evicted. */
    static final int EVICTED = 9;

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
