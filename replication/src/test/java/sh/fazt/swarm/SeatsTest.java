package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sh.fazt.identity.NodeId;

/** Who takes a seat next. Members are letters. */
class SeatsTest {
    private static final Duration PATIENCE = Duration.ofMinutes(30);

    /**
     * @param wanted  seats
     * @param voters  by their records
     * @param group   in the Raft group; empty when the same
     * @param silent  a letter and minutes each, by commas
     * @param waiting in their turn
     * @param change  {@code +x} fills a seat, {@code a>x} replaces; empty when nothing is to be done
     */
    @ParameterizedTest(name = "{0} seats, {1} vote, {3} silent, {4} wait: {5}")
    @CsvSource(
            nullValues = "-",
            value = {
                // Nothing is free, nobody is missed.
                "3, abc, -, -, x, -",
                "3, abc, -, c29, x, -",
                "5, abcde, -, e29, x, -",
                // Nobody waits.
                "3, ab, -, -, -, -",
                "3, abc, -, c31, -, -",
                // Evicted, or left.
                "3, ab, -, -, x, +x",
                "3, ab, -, -, xy, +x",
                "5, abcd, -, -, x, +x",
                // To an even number only on the way to an odd one.
                "3, a, -, -, x, -",
                "3, a, -, -, xy, +x",
                "5, abc, -, -, x, -",
                "5, abc, -, -, xy, +x",
                "4, abc, -, -, xy, -",
                "4, ab, -, -, xy, +x",
                "2, a, -, -, xy, -",
                // Fewer by hand.
                "2, ab, -, -, xy, -",
                "1, a, -, -, xy, -",
                // Silent for long.
                "3, abc, -, c30, xy, c>x",
                "3, abc, -, c500, x, c>x",
                "5, abcde, -, d40 e50, x, e>x",
                "5, abcde, -, d40 e40, x, e>x",
                "4, abcd, -, d30, x, d>x",
                // A seat that falls free is taken before one that is silent, unless a newcomer that fails costs the
                // majority.
                "5, abcd, -, d40, x, +x",
                "5, abc, -, c40, xy, c>x",
                "3, ab, -, b40, x, -",
                "4, abcd, -, c40 d40, x, -",
                // One change at a time: somebody is about to vote, or to be taken out.
                "3, abc, ab, c1, x, -",
                "5, abcd, abc, d1, x, -",
                "3, ab, abc, -, x, -",
                "3, abc, abcd, c40, x, -",
                // Who was to vote and never did, or was taken out already by a leader that ended then.
                "3, abc, ab, c40, x, c>x",
            })
    void takesASeat(
            int wanted,
            String voters,
            @Nullable String group,
            @Nullable String silent,
            @Nullable String waiting,
            @Nullable String change) {
        Map<NodeId, Duration> quiet = new HashMap<>();
        for (String each : silent == null ? new String[0] : silent.split(" ")) {
            quiet.put(node(each.charAt(0)), Duration.ofMinutes(Long.parseLong(each.substring(1))));
        }
        Seats seats = new Seats(
                wanted,
                nodes(voters),
                nodes(group == null ? voters : group),
                quiet,
                List.copyOf(waiting == null ? List.of() : inOrder(waiting)),
                PATIENCE);
        assertThat(seats.next().map(SeatsTest::text).orElse(null)).isEqualTo(change);
    }

    private static String text(Seats.Change change) {
        char takes = letter(change.takes());
        return change instanceof Seats.Change.Replace replace ? letter(replace.silent()) + ">" + takes : "+" + takes;
    }

    private static Set<NodeId> nodes(String letters) {
        return new HashSet<>(inOrder(letters));
    }

    private static List<NodeId> inOrder(String letters) {
        return letters.chars().mapToObj(letter -> node((char) letter)).toList();
    }

    private static NodeId node(char letter) {
        byte[] bytes = new byte[32];
        bytes[0] = (byte) letter;
        return NodeId.of(bytes);
    }

    private static char letter(NodeId node) {
        for (char letter = 'a'; letter <= 'z'; letter++) {
            if (node(letter).equals(node)) {
                return letter;
            }
        }
        throw new AssertionError(node);
    }
}
