package sh.fazt.membership;

/** What the swarm believes of a member. In rising rank: within one incarnation the later one wins. */
public enum MemberState {
    /** It answers. */
    ALIVE,
    /** Someone got no answer, or it has never been heard since it was admitted; it may still refute. */
    SUSPECT,
    /** It said that it sleeps: not probed, never declared dead. */
    AWAY,
    /** It did not refute in time. Its record stays and it is asked again, rarely, for ever. */
    DEAD,
    /** It said that it stops. */
    LEFT
}
