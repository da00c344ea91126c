package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

class InsteadTest {
    private static final NodeId A = id(1);
    private static final NodeId B = id(2);
    private static final NodeId C = id(3);
    private static final Origin BY_A = new Origin(A, 1);

    private static NodeId id(int number) {
        byte[] bytes = new byte[32];
        bytes[0] = (byte) number;
        return NodeId.of(bytes);
    }

    /** A version of one register, by A. */
    private static Row version(int number) {
        Stamp stamp = new Stamp(BY_A, number, Hlc.of(1_000L * number, 0));
        return new Row("pair", false, List.of("x"), stamp, false, Map.of("value", "v" + number));
    }

    private static VersionVector seen(int number) {
        return VersionVector.EMPTY.with(BY_A, number);
    }

    /** B has seen the second version, and held an evicted node's in its place. */
    @Test
    void whatOneHasSeenAndDoesNotBringIsTakenFromAnother() {
        for (int first = 0; first < 3; first++) {
            Instead instead = new Instead();
            for (int i = 0; i < 3; i++) {
                switch ((first + i) % 3) {
                    case 0 -> instead.add(C, seen(1), List.of(version(1)), true);
                    case 1 -> instead.add(B, seen(2), List.of(), false);
                    default -> instead.add(A, seen(2), List.of(version(2)), true);
                }
            }
            assertThat(instead.rows()).as("from %s", first).containsExactly(version(2));
            assertThat(instead.vouched()).isEqualTo(seen(2));
        }
    }
}
