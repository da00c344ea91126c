package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore.Applied;
import sh.fazt.cartridge.change.ReplicaStore.Spool;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;

/**
 * Plays a {@link Schedule} on replicas and checks the promises of replication.md section 1 against a model of its
 * own: the list of everything that was ever written. Messages are pushes and late answers to pulls; they are lost,
 * come twice and in any order.
 */
final class ScheduleRun {
    /** Peace has come when everybody has asked everybody so often: each conflict record is one more write. */
    private static final int ROUNDS = 12;

    private static final List<String> FIELDS = List.of("x", "y", "z");
    private static final List<String> PAIR = Schedule.NAMES.subList(0, 2);

    /** Moves a replica's wall clock by so many milliseconds. */
    interface Clocks {
        void skew(int replica, int millis);

        /** A millisecond passes. */
        void pass();
    }

    private final List<? extends ReplicaUnderTest> replicas;
    private final Clocks clocks;
    private final Scope scope;
    private final List<Message> underWay = new ArrayList<>();
    private final Set<Set<Integer>> cuts = new HashSet<>();
    private final Map<Dot, Written> history = new LinkedHashMap<>();
    private final Map<Dot, Changeset> changesets = new LinkedHashMap<>();
    private int values;
    private int restores;

    private record Written(
            Stamp stamp,
            VersionVector deps,
            List<String> names,
            @Nullable String value,
            long added,
            @Nullable Edited edited) {
        boolean knew(Written other) {
            return deps.includes(other.stamp.origin(), other.stamp.sequence());
        }

        boolean deletes() {
            return value == null && added == 0 && edited == null;
        }
    }

    /** What a write did to the document: which fields it wrote, with nulls for removed ones, or that it deleted it. */
    private record Edited(Map<String, @Nullable String> fields, boolean deletes) {}

    private sealed interface Message {
        int from();

        int to();

        record Push(int from, int to, Changeset changeset) implements Message {}

        record Answer(int from, int to, VersionVector since, VersionVector vector, List<byte[]> parts)
                implements Message {}
    }

    private ScheduleRun(List<? extends ReplicaUnderTest> replicas, Clocks clocks) {
        this.replicas = replicas;
        this.clocks = clocks;
        this.scope = replicas.get(0).scope();
    }

    static void play(Schedule schedule, List<? extends ReplicaUnderTest> replicas, Clocks clocks) {
        ScheduleRun run = new ScheduleRun(replicas, clocks);
        for (Schedule.Step step : schedule.steps()) {
            clocks.pass();
            run.step(step);
            run.checkWholeAndCaused();
        }
        run.settle();
        run.check();
    }

    private void step(Schedule.Step step) {
        if (step instanceof Schedule.Step.Write write) {
            int name = write.name() % (Schedule.NAMES.size() - 1);
            List<String> names = name == 0 ? PAIR : List.of(Schedule.NAMES.get(name + 1));
            write(index(write.replica()), names, write.deletes());
        } else if (step instanceof Schedule.Step.Add add) {
            int replica = index(add.replica());
            VersionVector deps = vector(replica);
            Changeset changeset = replicas.get(replica).add(Schedule.COUNTER, add.by());
            note(changeset, deps, List.of(), null, add.by(), null);
            push(replica, changeset, -1);
        } else if (step instanceof Schedule.Step.Edit edit) {
            edit(index(edit.replica()), FIELDS.get(edit.field() % FIELDS.size()), edit.what() % 8);
        } else if (step instanceof Schedule.Step.Deliver deliver && !underWay.isEmpty()) {
            int at = deliver.message() % underWay.size();
            deliver(deliver.again() ? underWay.get(at) : underWay.remove(at));
        } else if (step instanceof Schedule.Step.Lose lose && !underWay.isEmpty()) {
            underWay.remove(lose.message() % underWay.size());
        } else if (step instanceof Schedule.Step.Ask ask) {
            ask(index(ask.asker()), index(ask.asked()));
        } else if (step instanceof Schedule.Step.Cut cut) {
            cuts.add(new HashSet<>(List.of(index(cut.one()), index(cut.other()))));
        } else if (step instanceof Schedule.Step.Heal) {
            cuts.clear();
        } else if (step instanceof Schedule.Step.Skew skew) {
            clocks.skew(index(skew.replica()), skew.millis());
        } else if (step instanceof Schedule.Step.Restart restart) {
            replicas.get(index(restart.replica())).restart();
        } else if (step instanceof Schedule.Step.Copy copy) {
            replicas.get(index(copy.replica())).copy();
        } else if (step instanceof Schedule.Step.Restore restore) {
            restores++;
            replicas.get(index(restore.replica())).restore();
        }
    }

    private int index(int number) {
        return number % replicas.size();
    }

    private VersionVector vector(int replica) {
        return replicas.get(replica).store().vector(scope);
    }

    private void write(int replica, List<String> names, boolean deletes) {
        String value = deletes ? null : "v" + values++;
        VersionVector deps = vector(replica);
        Changeset changeset = replicas.get(replica).write(value, names);
        note(changeset, deps, names, value, 0, null);
        push(replica, changeset, -1);
    }

    private void edit(int replica, String field, int what) {
        ReplicaUnderTest one = replicas.get(replica);
        Map<String, String> before = one.document();
        VersionVector deps = vector(replica);
        Map<String, @Nullable String> written = new TreeMap<>();
        if (before == null) {
            // Written anew: all that anybody here has heard of is written, as gone.
            history.values().stream()
                    .filter(known -> known.edited() != null
                            && deps.includes(
                                    known.stamp().origin(), known.stamp().sequence()))
                    .forEach(known -> Objects.requireNonNull(known.edited())
                            .fields()
                            .keySet()
                            .forEach(name -> written.put(name, null)));
        }
        Changeset changeset;
        boolean deletes = what == 7 && before != null;
        if (deletes) {
            changeset = one.deleteDocument();
        } else if (what == 6) {
            Map<String, String> values = Map.of(field, "v" + values());
            if (before != null) {
                before.keySet().forEach(name -> written.put(name, null));
            }
            written.putAll(values);
            changeset = one.replace(values);
        } else {
            String value = what == 5 && before != null && before.containsKey(field) ? null : "v" + values();
            Map<String, @Nullable String> changes = new TreeMap<>();
            changes.put(field, value);
            written.putAll(changes);
            changeset = one.edit(changes);
        }
        note(changeset, deps, List.of(), null, 0, new Edited(written, deletes));
        push(replica, changeset, -1);
    }

    private int values() {
        return values++;
    }

    private void note(
            Changeset changeset,
            VersionVector deps,
            List<String> names,
            @Nullable String value,
            long added,
            @Nullable Edited edited) {
        Dot dot = changeset.dot();
        Stamp stamp = new Stamp(dot.origin(), dot.sequence(), changeset.hlc());
        Written before = history.put(dot, new Written(stamp, deps, names, value, added, edited));
        assertThat(before).as("a sequence is never used twice: " + dot).isNull();
        changesets.put(dot, changeset);
    }

    private void push(int from, Changeset changeset, int source) {
        for (int to = 0; to < replicas.size(); to++) {
            if (to != from && to != source) {
                underWay.add(new Message.Push(from, to, changeset));
            }
        }
    }

    private void ask(int asker, int asked) {
        if (asker == asked || isCut(asker, asked)) {
            return;
        }
        VersionVector since = vector(asker);
        try (Spool spool = replicas.get(asked).store().open(scope, since)) {
            List<byte[]> parts = new ArrayList<>();
            for (int i = 0; i < spool.parts(); i++) {
                parts.add(spool.part(i));
            }
            underWay.add(new Message.Answer(asked, asker, since, spool.vector(), parts));
        }
    }

    private boolean isCut(int one, int other) {
        return cuts.contains(Set.of(one, other));
    }

    private void deliver(Message message) {
        if (isCut(message.from(), message.to())) {
            return;
        }
        ReplicaUnderTest replica = replicas.get(message.to());
        if (message instanceof Message.Push push) {
            Applied applied = join(replica.store().apply(push.changeset()));
            if (applied == Applied.DONE) {
                push(push.to(), push.changeset(), push.from());
            } else if (applied == Applied.NEEDS_PULL) {
                ask(push.to(), push.from());
            }
        } else if (message instanceof Message.Answer answer) {
            // Whoever asks has heard how far the other is: this is where an old copy is found out.
            if (answer.vector().get(replica.store().origin())
                    > vector(message.to()).get(replica.store().origin())) {
                join(replica.store().openEpoch());
            }
            join(replica.store().apply(scope, answer.since(), answer.vector(), answer.parts()));
        }
        for (Changeset recorded : replica.recorded()) {
            changesets.put(recorded.dot(), recorded);
            push(message.to(), recorded, -1);
        }
    }

    private static <T> T join(java.util.concurrent.CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }

    private void checkWholeAndCaused() {
        for (ReplicaUnderTest replica : replicas) {
            assertThat(replica.value(PAIR.get(0)))
                    .as("a transaction is visible as a whole")
                    .isEqualTo(replica.value(PAIR.get(1)));
            VersionVector here = replica.store().vector(scope);
            history.forEach((dot, written) -> {
                if (here.includes(dot.origin(), dot.sequence())) {
                    assertThat(here.covers(written.deps()))
                            .as("no effect without its cause: " + dot)
                            .isTrue();
                }
            });
        }
    }

    private void settle() {
        underWay.clear();
        cuts.clear();
        for (int round = 0; round < ROUNDS && !agreed(); round++) {
            for (int asker = 0; asker < replicas.size(); asker++) {
                for (int asked = 0; asked < replicas.size(); asked++) {
                    if (!vector(asker).covers(vector(asked))) {
                        ask(asker, asked);
                        deliver(underWay.remove(underWay.size() - 1));
                        underWay.clear();
                    }
                }
            }
        }
        assertThat(agreed()).as("every replica has seen everything").isTrue();
    }

    private boolean agreed() {
        return replicas.stream()
                .allMatch(replica -> replica.store().vector(scope).equals(vector(0)));
    }

    private void check() {
        ReplicaUnderTest first = replicas.get(0);
        VersionVector vector = vector(0);
        Map<Dot, Written> heard = new HashMap<>(history);
        // Written on a disk that was replaced by an older copy before anybody heard of it.
        heard.keySet().removeIf(dot -> !vector.includes(dot.origin(), dot.sequence()));
        long sum = heard.values().stream().mapToLong(Written::added).sum();
        Set<String> losers = first.losers();
        Map<String, Stamp> winners = new HashMap<>();
        for (String name : Schedule.NAMES) {
            checkName(name, heard, winners, losers);
        }
        checkDocument(heard, losers);
        Set<Origin> origins = vector.entries().keySet();
        for (ReplicaUnderTest replica : replicas) {
            for (String name : Schedule.NAMES) {
                Stamp winner = winners.get(name);
                assertThat(replica.stamp(name))
                        .as("the greatest stamp wins: " + name)
                        .isEqualTo(winner);
                assertThat(replica.value(name)).as("the value of " + name).isEqualTo(value(heard, winner));
            }
            assertThat(replica.sum(Schedule.COUNTER)).as("no increment is lost").isEqualTo(sum);
            assertThat(replica.losers()).as("equal conflicts").isEqualTo(losers);
            assertThat(replica.store().digest(scope))
                    .as("equal digests")
                    .isEqualTo(first.store().digest(scope));
            assertThat(replica.rowCount())
                    .as("what is kept follows what lives")
                    .isLessThanOrEqualTo(Schedule.NAMES.size() + 1 + origins.size() + losers.size());
            assertThat(replica.damage()).isEmpty();
        }
        assertThat(origins.size())
                .as("an epoch is opened for a reason")
                .isLessThanOrEqualTo(replicas.size() + restores);
        checkIdempotence();
    }

    private @Nullable String value(Map<Dot, Written> heard, @Nullable Stamp winner) {
        return winner == null
                ? null
                : Objects.requireNonNull(heard.get(new Dot(scope, winner.origin(), winner.sequence())))
                        .value();
    }

    private void checkName(String name, Map<Dot, Written> heard, Map<String, Stamp> winners, Set<String> losers) {
        List<Written> writes = heard.values().stream()
                .filter(written -> written.names().contains(name))
                .toList();
        writes.stream().map(Written::stamp).max(Stamp::compareTo).ifPresent(stamp -> winners.put(name, stamp));
        for (Written one : writes) {
            // What a lost disk had written over it counts: its writer knew, and nobody else can have.
            boolean succeeded =
                    history.values().stream().anyMatch(later -> later.names().contains(name) && later.knew(one));
            boolean likewise = one.deletes()
                    && writes.stream().anyMatch(other -> other != one && other.deletes() && !one.knew(other));
            boolean kept = losers.contains(one.stamp() + " " + name);
            assertThat(one.stamp().equals(winners.get(name)) || succeeded || likewise || kept)
                    .as("no silent loser: " + one.stamp() + " of " + name)
                    .isTrue();
            boolean rivals = writes.stream().anyMatch(other -> other != one && !other.knew(one) && !one.knew(other));
            assertThat(kept && !rivals)
                    .as("no conflict where one knew the other: " + one.stamp() + " of " + name)
                    .isFalse();
        }
    }

    /** Each field says what the greatest stamp wrote into it; the greatest of all says whether the document is there. */
    private void checkDocument(Map<Dot, Written> heard, Set<String> losers) {
        List<Written> edits = heard.values().stream()
                .filter(written -> written.edited() != null)
                .sorted(Comparator.comparing(Written::stamp))
                .toList();
        if (edits.isEmpty()) {
            return;
        }
        Written last = edits.get(edits.size() - 1);
        boolean deleted = edited(last).deletes();
        Map<String, Written> winners = new TreeMap<>();
        edits.forEach(one -> edited(one).fields().keySet().forEach(field -> winners.put(field, one)));
        Map<String, String> says = new TreeMap<>();
        winners.forEach((field, one) -> {
            String value = edited(one).fields().get(field);
            if (value != null) {
                says.put(field, value);
            }
        });
        for (ReplicaUnderTest replica : replicas) {
            assertThat(replica.document()).as("the document").isEqualTo(deleted ? null : says);
        }
        for (Written one : edits) {
            for (String field : edited(one).fields().keySet()) {
                checkField(one, field, edits, winners.get(field) == one && !deleted, losers);
            }
            if (edited(one).deletes()) {
                boolean succeeded =
                        history.values().stream().anyMatch(later -> later.edited() != null && later.knew(one));
                boolean likewise = edits.stream()
                        .anyMatch(other -> other != one && edited(other).deletes() && !one.knew(other));
                boolean kept = losers.contains(one.stamp() + " " + ReplicaUnderTest.DOCUMENT);
                assertThat(one == last || succeeded || likewise || kept)
                        .as("no silent deletion: " + one.stamp())
                        .isTrue();
                assertThat(kept && edits.stream().noneMatch(other -> rivals(one, other)))
                        .as("no conflict where one knew the other: " + one.stamp())
                        .isFalse();
            }
        }
    }

    private void checkField(Written one, String field, List<Written> edits, boolean stands, Set<String> losers) {
        boolean succeeded = history.values().stream()
                .anyMatch(later -> later.edited() != null
                        && later.knew(one)
                        && (edited(later).deletes() || edited(later).fields().containsKey(field)));
        boolean likewise = edited(one).fields().get(field) == null
                && edits.stream()
                        .anyMatch(other -> other != one
                                && !one.knew(other)
                                && edited(other).fields().containsKey(field)
                                && edited(other).fields().get(field) == null);
        boolean kept = losers.contains(one.stamp() + " " + ReplicaUnderTest.DOCUMENT + "/" + field);
        assertThat(stands || succeeded || likewise || kept)
                .as("no silent loser: " + one.stamp() + " of the field " + field)
                .isTrue();
        boolean rivals = edits.stream()
                .anyMatch(other -> rivals(one, other)
                        && (edited(other).deletes() || edited(other).fields().containsKey(field)));
        assertThat(kept && !rivals)
                .as("no conflict where one knew the other: " + one.stamp() + " of the field " + field)
                .isFalse();
    }

    private static boolean rivals(Written one, Written other) {
        return other != one && !other.knew(one) && !one.knew(other);
    }

    private static Edited edited(Written written) {
        return Objects.requireNonNull(written.edited());
    }

    private void checkIdempotence() {
        VersionVector before = vector(0);
        long digest = replicas.get(0).store().digest(scope);
        for (Changeset changeset : changesets.values()) {
            if (before.includes(changeset.dot().origin(), changeset.dot().sequence())) {
                assertThat(join(replicas.get(0).store().apply(changeset))).isEqualTo(Applied.KNOWN);
            }
        }
        assertThat(vector(0)).isEqualTo(before);
        assertThat(replicas.get(0).store().digest(scope)).isEqualTo(digest);
    }
}
