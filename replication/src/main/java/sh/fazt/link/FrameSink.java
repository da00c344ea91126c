package sh.fazt.link;

import sh.fazt.protocol.peer.v1.Frame;

/** Takes the frames of one lane, in order, on its connection's network thread. */
interface FrameSink {
    void frame(Frame frame);
}
