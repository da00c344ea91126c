package sh.fazt.node.ops;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class StandstillTest {
    private long now;
    private OptionalLong since = OptionalLong.empty();
    private final Deque<Runnable> tasks = new ArrayDeque<>();
    private final List<String> told = new ArrayList<>();
    private int dumps;

    private final Standstill.Watched writer = new Standstill.Watched() {
        @Override
        public String name() {
            return "writer";
        }

        @Override
        public String harm() {
            return "nothing is written";
        }

        @Override
        public OptionalLong since() {
            return since;
        }
    };

    private final Standstill standstill = new Standstill(
            List.of(writer, Standstill.executor("swarm", "nothing is replicated", tasks::add, () -> now)),
            () -> now,
            (what, why) -> told.add(what),
            () -> "stacks " + ++dumps);

    /** Lets seconds go by in which the swarm thread does what it is asked. */
    private void seconds(int count) {
        for (int i = 0; i < count; i++) {
            second();
            while (!tasks.isEmpty()) {
                tasks.remove().run();
            }
        }
    }

    private void second() {
        now += Duration.ofSeconds(1).toNanos();
        standstill.look();
    }

    @Test
    void leavesAloneWhatGoesOn() {
        for (int i = 0; i < 20; i++) {
            since = OptionalLong.of(now);
            seconds(3);
        }
        since = OptionalLong.empty();
        seconds(20);

        assertThat(told).isEmpty();
        assertThat(standstill.complaints()).isEmpty();
        assertThat(standstill.metrics())
                .contains("fazt_standstills_total{thread=\"writer\"} 0\n", "{thread=\"swarm\"} 0\n");
    }

    @Test
    void tellsOnceOfAThreadThatStandsAndOnceThatItGoesOn() {
        since = OptionalLong.of(now);
        seconds(12);

        assertThat(told).containsExactly("the writer thread stands still");
        assertThat(dumps).isEqualTo(1);
        assertThat(standstill.complaints())
                .singleElement()
                .asString()
                .startsWith("the writer thread has stood still for 12 s: nothing is written");

        since = OptionalLong.of(now);
        seconds(1);

        assertThat(told).containsExactly("the writer thread stands still", "the writer thread goes on after 13 s");
        assertThat(standstill.complaints()).isEmpty();
        assertThat(standstill.metrics()).contains("{thread=\"writer\"} 1\n", "{thread=\"swarm\"} 0\n");
    }

    @Test
    void asksAnExecutorForASignOfLife() {
        for (int i = 0; i < 8; i++) {
            second();
        }
        assertThat(tasks).hasSize(1);
        assertThat(told).containsExactly("the swarm thread stands still");

        seconds(2);
        assertThat(told).hasSize(2).last().asString().startsWith("the swarm thread goes on after");
    }

    @Test
    void blamesNoThreadForAMachineThatSlept() {
        since = OptionalLong.of(now);
        seconds(2);
        now += Duration.ofHours(8).toNanos();
        seconds(4);
        assertThat(told).isEmpty();

        seconds(3);
        assertThat(told).containsExactly("the writer thread stands still");
    }
}
