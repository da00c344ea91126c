package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

class SyncCoreTest {
    private static final Scope SCOPE = new Scope("fazt_app_sync");
    private static final NodeId PEER = NodeId.of(new byte[32]);
    private static final Origin SELF = new Origin(PEER, 7);
    private static final VersionVector HERE = VersionVector.EMPTY.with(SELF, 3);

    private final SyncCore core = new SyncCore(new SyncCore.View() {
        @Override
        public Origin origin() {
            return SELF;
        }

        @Override
        public Map<Scope, VersionVector> vectors() {
            return Map.of(SCOPE, HERE);
        }

        @Override
        public VersionVector vector(Scope scope) {
            return HERE;
        }

        @Override
        public long digest(Scope scope) {
            return 0;
        }

        @Override
        public Holders holders() {
            return Holders.EVERYBODY;
        }
    });

    @Test
    void aPeerThatLacksSomethingIsToldAgainAndAskedAfterTwiceAsLongEachTime() {
        core.linkUp(PEER, 0);
        assertThat(core.tick(seconds(14))).isEmpty();
        assertThat(core.tick(seconds(15))).containsExactly(new SyncEffect.Tell(PEER, Map.of(SCOPE, HERE), true));
        assertThat(core.tick(seconds(44))).isEmpty();
        assertThat(core.tick(seconds(45))).hasSize(1);
        core.told(PEER, Map.of(SCOPE, HERE), Map.of(), false, seconds(46));
        assertThat(core.tick(seconds(3000))).as("nothing is lacking").isEmpty();
    }

    @Test
    void whoeverIsAskedTells() {
        core.linkUp(PEER, 0);
        core.told(PEER, Map.of(SCOPE, HERE), Map.of(), true, seconds(1));
        assertThat(core.tick(seconds(2))).isEqualTo(List.of(new SyncEffect.Tell(PEER, Map.of(SCOPE, HERE), false)));
    }

    private static long seconds(int seconds) {
        return Duration.ofSeconds(seconds).toNanos();
    }
}
