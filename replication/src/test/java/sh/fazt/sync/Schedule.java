package sh.fazt.sync;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;

/** What happens to some replicas, one step after the other; shrinks to the shortest that still fails. */
record Schedule(int replicas, List<Step> steps) {
    /** The keys that are written; the first two always together, to the same value. */
    static final List<String> NAMES = List.of("left", "right", "a", "b", "c");

    static final String COUNTER = "n";

    /** Numbers choose among what there is at that moment, by their remainder. */
    sealed interface Step {
        /** A null-valued write deletes. */
        record Write(int replica, int name, boolean deletes) implements Step {}

        /** Of the document: most change a field, some remove one, replace all of it or delete it. */
        record Edit(int replica, int field, int what) implements Step {}

        record Add(int replica, int by) implements Step {}

        /** Some message under way arrives; with {@code again} it stays under way and comes once more. */
        record Deliver(int message, boolean again) implements Step {}

        record Lose(int message) implements Step {}

        /** One asks another for what it lacks; the answer is under way. */
        record Ask(int asker, int asked) implements Step {}

        /** What the two say to each other is lost from now on. */
        record Cut(int one, int other) implements Step {}

        record Heal() implements Step {}

        record Skew(int replica, int millis) implements Step {}

        record Restart(int replica) implements Step {}

        record Copy(int replica) implements Step {}

        record Restore(int replica) implements Step {}
    }

    static Arbitrary<Schedule> arbitrary(int least, int most, int leastSteps, int mostSteps) {
        Arbitrary<Integer> any = Arbitraries.integers().between(0, 1 << 16);
        Arbitrary<Step> step = Arbitraries.frequencyOf(
                Tuple.of(
                        8,
                        Combinators.combine(any, any, Arbitraries.of(false, false, false, true))
                                .as(Step.Write::new)),
                Tuple.of(
                        3,
                        Combinators.combine(any, Arbitraries.integers().between(1, 9))
                                .as(Step.Add::new)),
                Tuple.of(6, Combinators.combine(any, any, any).as(Step.Edit::new)),
                Tuple.of(
                        12,
                        Combinators.combine(any, Arbitraries.of(false, false, false, true))
                                .as(Step.Deliver::new)),
                Tuple.of(2, any.map(Step.Lose::new)),
                Tuple.of(4, Combinators.combine(any, any).as(Step.Ask::new)),
                Tuple.of(1, Combinators.combine(any, any).as(Step.Cut::new)),
                Tuple.of(1, Arbitraries.just(new Step.Heal())),
                Tuple.of(
                        1,
                        Combinators.combine(any, Arbitraries.integers().between(-100_000, 100_000))
                                .as(Step.Skew::new)),
                Tuple.of(1, any.map(Step.Restart::new)),
                Tuple.of(1, any.map(Step.Copy::new)),
                Tuple.of(1, any.map(Step.Restore::new)));
        return Combinators.combine(
                        Arbitraries.integers().between(least, most),
                        step.list().ofMinSize(leastSteps).ofMaxSize(mostSteps))
                .as(Schedule::new);
    }
}
