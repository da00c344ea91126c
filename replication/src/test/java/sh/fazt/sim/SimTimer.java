package sh.fazt.sim;

/** Something that will happen unless it is cancelled. Confined to the simulation's thread. */
public interface SimTimer {
    /** Takes it back; says whether that was in time. */
    boolean cancel();
}
