package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

class LagMeterTest {
    private static final NodeId PEER = NodeId.of(new byte[32]);
    private static final long STEP = Duration.ofMillis(150).toNanos();

    private final MemoryReplica here =
            new MemoryReplica(new Origin(NodeId.of(bytes()), 1), new HybridClock(Clock.systemUTC()), Set.of());
    private long now;

    private final LagMeter meter = new LagMeter(here, Runnable::run, Runnable::run, () -> now, Clock.systemUTC());
    private final SyncCore core = new SyncCore(new SyncCore.View() {
        @Override
        public Origin origin() {
            return here.origin();
        }

        @Override
        public Map<Scope, VersionVector> vectors() {
            return here.vectors();
        }

        @Override
        public VersionVector vector(Scope scope) {
            return here.vector(scope);
        }

        @Override
        public long digest(Scope scope) {
            return here.digest(scope);
        }

        @Override
        public Holders holders() {
            return Holders.EVERYBODY;
        }
    });

    private static byte[] bytes() {
        byte[] bytes = new byte[32];
        bytes[0] = 1;
        return bytes;
    }

    private void write() {
        now += STEP;
        here.write("v", List.of("k"));
        meter.committed(MemoryReplica.SCOPE);
    }

    private void told() {
        core.told(PEER, here.vectors(), Map.of(), false, now);
    }

    private Duration oldest() {
        meter.tick(core, Set.of(PEER));
        return Objects.requireNonNull(meter.lags().get(PEER)).oldest();
    }

    @Test
    void howOldTheOldestUnsentChangeIsStaysTrueHoweverManyCameBeforeAndComeAfter() {
        core.linkUp(PEER, now);
        for (int i = 0; i < 250; i++) {
            write();
            told();
            assertThat(oldest()).isZero();
        }
        core.linkDown(PEER, now);
        now += Duration.ofSeconds(45).toNanos();
        long begin = now + STEP;
        for (int i = 0; i < 600; i++) {
            write();
            assertThat(oldest().toNanos()).as("after %s changes", i + 1).isEqualTo(now - begin);
        }
        told();
        assertThat(oldest()).isZero();
        begin = now + STEP;
        write();
        now += STEP;
        assertThat(oldest().toNanos()).isEqualTo(now - begin);
    }

    @Test
    void itIsTrueToASecondOfAPeerThatTellsLate() {
        // It has everything at once, and tells so with the delays of a second and two ticks.
        core.linkUp(PEER, now);
        told();
        for (int i = 0; i < 100; i++) {
            write();
            assertThat(oldest()).as("linked, after %s changes", i + 1).isLessThan(Duration.ofSeconds(1));
            if (i % 10 == 9) {
                told();
            }
        }
        for (int i = 0; i < 9; i++) {
            write();
        }
        core.linkDown(PEER, now);
        long cut = now + STEP;
        for (int i = 0; i < 100; i++) {
            write();
            assertThat(oldest())
                    .as("cut off, after %s changes", i + 1)
                    .isBetween(
                            Duration.ofNanos(now - cut).minusSeconds(1),
                            Duration.ofNanos(now - cut).plusSeconds(1));
        }
    }
}
