package sh.fazt.node.http;

import java.io.InputStream;

/** A request's body, as its handler reads it. */
interface Body {
    /** How many bytes it has; -1 while that is not known. */
    long length();

    InputStream open();

    /** What is still kept of it is dropped; once. */
    void discard();
}
