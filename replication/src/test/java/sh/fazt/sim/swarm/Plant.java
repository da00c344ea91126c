package sh.fazt.sim.swarm;

import java.util.EnumSet;
import java.util.Set;
import sh.fazt.sim.swarm.Violation.Checker;

/** A bug that one node has, for a checker to find. Each names the checkers that may be the first to see it. */
enum Plant {
    /** Says that it applied a changeset and did not. */
    DROPPED_CHANGESET(Checker.ORACLE, Checker.COUNTERS),
    /** Applies whatever comes, cause or not. */
    SKIPPED_VECTOR_CHECK(Checker.SESSION, Checker.ORACLE, Checker.COUNTERS),
    /** Of two concurrent versions takes the greater value. */
    TIE_BROKEN_BY_VALUE(Checker.ORACLE, Checker.ATOMICITY, Checker.SESSION),
    /** Goes on under its old epoch after an old copy was put back. */
    REUSED_SEQUENCE(Checker.SEQUENCE),
    /** Trusts its folder after it was set back whole. */
    UNDOUBTED(Checker.SEQUENCE),
    /** Has no doubt any more before it has heard others. */
    HASTY_TRUST(Checker.SEQUENCE),
    /** What was counted in doubt is not counted under the new name. */
    LOST_SHARE(Checker.COUNTERS),
    /** A copy of it that is started beside it goes on under its epoch, though others tell that they hold more of it. */
    STUBBORN_TWIN(Checker.SEQUENCE),
    /** Forgets losers. */
    SILENT_LOSER(Checker.CONFLICTS),
    /** A pull that could not be stored counts as stored. */
    SWALLOWED_FAILED_BATCH(Checker.ORACLE, Checker.COUNTERS, Checker.SESSION),
    /** The rows of a transaction become visible one by one. */
    TORN_TRANSACTION(Checker.ATOMICITY),
    /** The vector says that a changeset is here while it waits for the disk. */
    EARLY_VECTOR(Checker.COMPLETENESS, Checker.ORACLE),
    /** A reader is now and then served from an older snapshot. */
    NON_MONOTONIC_READ(Checker.SESSION),
    /** An increment is acknowledged and not made. */
    LOST_INCREMENT(Checker.COUNTERS),
    /** Deletions do not travel by pulls. */
    UNDELETED(Checker.SET_FULL),
    /** Rows of a table that the schema lacks are thrown away. */
    FORGOTTEN_PARKED(Checker.ORACLE, Checker.SESSION),
    /** Answers before the disk has it. */
    UNSYNCED_ANSWER(Checker.COMPLETENESS, Checker.SEQUENCE, Checker.SESSION),
    /** The digest does not follow the rows. */
    DRIFTING_DIGEST(Checker.COMPLETENESS, Checker.CONVERGENCE),
    /** What waits for a slow peer is not bounded. */
    UNBOUNDED_QUEUE(Checker.BOUNDS),
    /** Spools that a peer has read to their end stay open. */
    LEAKED_SPOOL(Checker.BOUNDS),
    /** A member is dead as soon as it is suspected. */
    HASTY_VERDICT(Checker.MEMBERSHIP),
    /** Does not hear membership after a restart. */
    DEAF_MEMBER(Checker.MEMBERSHIP),
    /** One agreed record is passed over. */
    SKIPPED_RECORD(Checker.CONFIG),
    /** A question about the agreed records is answered from the node's own copy. */
    STALE_RECORD(Checker.CONFIG),
    /** An eviction changes nothing about what is taken. */
    IGNORED_FENCE(Checker.FENCING),
    /** Takes one transaction too many of an evicted node. */
    RAISED_FENCE(Checker.FENCING),
    /** Takes one too few. */
    LOW_FENCE(Checker.FENCING),
    /** Does not know fences any more after a restart. */
    FORGOTTEN_FENCE(Checker.FENCING),
    /** Keeps what came before it heard of an eviction. */
    UNCUT(Checker.FENCING),
    /** Goes on talking with an evicted node. */
    OPEN_DOOR(Checker.FENCING),
    /** Does not know any more that it has removed tombstones. */
    FORGOTTEN_FLOOR(Checker.SET_FULL),
    /** Removes no tombstone. */
    KEPT_TOMBSTONES(Checker.BOUNDS);

    final Set<Checker> finders;

    Plant(Checker first, Checker... others) {
        this.finders = EnumSet.of(first, others);
    }
}
