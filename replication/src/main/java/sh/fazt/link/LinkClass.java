package sh.fazt.link;

import java.time.Duration;
import java.util.Locale;

/**
 * What a link costs and how it is looked after. The first three are ways, best first; a metered link is one
 * of them whose traffic either side pays for.
 */
public enum LinkClass {
    /** Both ends share a network, and answers come quickly. */
    LAN(Duration.ofSeconds(1), Duration.ofSeconds(3), Duration.ofSeconds(5), 1 << 20),
    /** Anything else that needs no help. */
    WAN(Duration.ofSeconds(5), Duration.ofSeconds(12), Duration.ofSeconds(30), 512 << 10),
    /** Through a third member. */
    RELAYED(Duration.ofSeconds(5), Duration.ofSeconds(12), Duration.ofSeconds(30), 64 << 10),
    /** No rhythm but a lease: four wake-ups an hour. What is sent and stays unanswered is followed by a ping. */
    METERED(Duration.ofMinutes(15), Duration.ofMinutes(16), Duration.ofSeconds(30), 64 << 10);

    private final Duration ping;
    private final Duration silence;
    private final Duration longestPause;
    private final int window;

    LinkClass(Duration ping, Duration silence, Duration longestPause, int window) {
        this.ping = ping;
        this.silence = silence;
        this.longestPause = longestPause;
        this.window = window;
    }

    /** How often a ping is sent. */
    public Duration ping() {
        return ping;
    }

    /** So long without an answer ends the link. */
    public Duration silence() {
        return silence;
    }

    /** The longest pause between two attempts to link again. */
    public Duration longestPause() {
        return longestPause;
    }

    /** Bytes that may be under way on a lane. */
    public int window() {
        return window;
    }

    /** As it is shown and typed. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Frames of the largest size that may be under way on a lane; a few at least, as most are small. */
    int credits() {
        return Math.max(4, window / Wire.MAX_BODY);
    }

    /** The number of a way in a hello. */
    int number() {
        return ordinal() + 1;
    }

    /** The better of our view of a way and the peer's, so that both have the same. */
    LinkClass orBetter(int told) {
        return told >= 1 && told < number() ? values()[told - 1] : this;
    }
}
