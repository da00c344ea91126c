package sh.fazt.membership;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/** The other members, what is believed of each, and whose turn it is. */
final class Roster {
    private final Map<NodeId, Entry> entries = new TreeMap<>();
    private final List<NodeId> round = new ArrayList<>();
    private final RandomGenerator random;
    private @Nullable NodeId lastDead;

    Roster(RandomGenerator random) {
        this.random = random;
    }

    /** What is believed of one member. */
    static final class Entry {
        final NodeId id;
        MemberState state = MemberState.SUSPECT;
        long incarnation;
        MemberMetadata metadata;
        long metadataIncarnation;
        /** Present exactly while the state is SUSPECT. */
        @Nullable
        Suspicion suspicion;

        long lastHeardNanos;
        boolean heard;

        Entry(NodeId id, MemberMetadata metadata) {
            this.id = id;
            this.metadata = metadata;
        }

        Member member() {
            return new Member(id, state, incarnation, metadata);
        }

        /** Whether it takes part: news go there and others are asked through it. */
        boolean isActive() {
            return state == MemberState.ALIVE || state == MemberState.SUSPECT;
        }

        Claim claim() {
            Suspicion running = suspicion;
            List<NodeId> accusers = running == null ? List.of() : running.accusers();
            // What consensus told us of it is not its own word, and needs no telling.
            MemberMetadata said = metadataIncarnation == 0 ? null : metadata;
            return new Claim(id, state, incarnation, accusers, said, metadataIncarnation);
        }
    }

    @Nullable
    Entry get(NodeId id) {
        return entries.get(id);
    }

    Collection<Entry> all() {
        return entries.values();
    }

    int size() {
        return entries.size();
    }

    Entry add(NodeId id, MemberMetadata metadata) {
        Entry entry = new Entry(id, metadata);
        entries.put(id, entry);
        return entry;
    }

    void remove(NodeId id) {
        entries.remove(id);
        round.remove(id);
    }

    int active() {
        int active = 0;
        for (Entry entry : entries.values()) {
            if (entry.isActive()) {
                active++;
            }
        }
        return active;
    }

    /** Lets a member have the next turn. */
    void turnIsNext(NodeId id) {
        round.remove(id);
        round.add(id);
    }

    /** The next active member: each has its turn once per round, in an order shuffled anew. */
    @Nullable
    Entry nextTurn() {
        for (int tries = 0; tries < 2; tries++) {
            while (!round.isEmpty()) {
                Entry entry = entries.get(round.remove(round.size() - 1));
                if (entry != null && entry.isActive()) {
                    return entry;
                }
            }
            round.addAll(entries.keySet());
            shuffle(round);
        }
        return null;
    }

    /** The next dead member in the order of ids, round and round. */
    @Nullable
    Entry nextDead() {
        Entry first = null;
        for (Entry entry : entries.values()) {
            if (entry.state == MemberState.DEAD) {
                if (lastDead == null || entry.id.compareTo(lastDead) > 0) {
                    lastDead = entry.id;
                    return entry;
                }
                first = first == null ? entry : first;
            }
        }
        lastDead = first == null ? null : first.id;
        return first;
    }

    /** At most so many members that fit, by chance. */
    List<Entry> some(int count, Predicate<Entry> fits) {
        List<Entry> fitting = new ArrayList<>();
        for (Entry entry : entries.values()) {
            if (fits.test(entry)) {
                fitting.add(entry);
            }
        }
        int taken = Math.min(count, fitting.size());
        for (int i = 0; i < taken; i++) {
            int other = i + random.nextInt(fitting.size() - i);
            Entry swap = fitting.get(i);
            fitting.set(i, fitting.get(other));
            fitting.set(other, swap);
        }
        return fitting.subList(0, taken);
    }

    private void shuffle(List<NodeId> ids) {
        for (int i = ids.size() - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            NodeId swap = ids.get(i);
            ids.set(i, ids.get(other));
            ids.set(other, swap);
        }
    }
}
