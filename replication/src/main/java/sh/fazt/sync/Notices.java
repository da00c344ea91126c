package sh.fazt.sync;

import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/** Hears what the owner should know of sync. Called on any thread; must hand over and return. */
public interface Notices {
    /** Nobody listens. */
    Notices NONE = (kind, about, what, why) -> {};

    /**
     * @param kind  one word or two with a dash, for programs
     * @param about the member that it is about; null for this node itself
     * @param what  what happened, for people
     * @param why   why, as far as is known; may be empty
     */
    void notice(String kind, @Nullable NodeId about, String what, String why);
}
