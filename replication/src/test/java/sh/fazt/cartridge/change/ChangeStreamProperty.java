package sh.fazt.cartridge.change;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import sh.fazt.identity.NodeId;

final class ChangeStreamProperty {
    private static final Scope APP = new Scope("app_01m8cyraqg0009q56jtqhhag9e");

    private static Origin origin(int number) {
        byte[] node = new byte[32];
        Arrays.fill(node, (byte) number);
        return new Origin(NodeId.of(node), 1 + number % 3);
    }

    /** Any changesets: what a peer passes on is of many origins, and in no order that could be relied on. */
    private static List<Changeset> any(Random random, int count) {
        List<Changeset> changesets = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Map<Origin, Long> deps = new HashMap<>();
            for (int entries = random.nextInt(4); entries > 0; entries--) {
                deps.put(origin(random.nextInt(5)), random.nextLong(1L << random.nextInt(62)));
            }
            byte[] rows = new byte[random.nextInt(40)];
            random.nextBytes(rows);
            changesets.add(new Changeset(
                    new Dot(
                            new Scope("scope" + random.nextInt(3)),
                            origin(random.nextInt(5)),
                            1 + random.nextLong(1L << random.nextInt(62))),
                    new Hlc(random.nextLong()),
                    VersionVector.of(deps),
                    rows));
        }
        return changesets;
    }

    private static List<byte[]> messages(ChangeStream.Writer writer, Random random, List<Changeset> changesets) {
        List<byte[]> messages = new ArrayList<>();
        for (int at = 0; at < changesets.size(); ) {
            int end = Math.min(changesets.size(), at + 1 + random.nextInt(4));
            messages.add(writer.write(changesets.subList(at, end)));
            at = end;
        }
        return messages;
    }

    private static List<String> shown(List<Changeset> changesets) {
        return changesets.stream()
                .map(one -> one.dot() + " " + one.hlc() + " " + one.deps() + " " + Arrays.toString(one.rows()))
                .toList();
    }

    @Property(tries = 300)
    void whatIsReadIsWhatWasWritten(@ForAll long seed, @ForAll @IntRange(max = 30) int count) {
        Random random = new Random(seed);
        ChangeStream.Reader reader = new ChangeStream.Reader();
        for (int stream = 1; stream <= 2; stream++) {
            List<Changeset> written = any(random, count);
            List<Changeset> read = new ArrayList<>();
            for (byte[] message : messages(new ChangeStream.Writer(stream), random, written)) {
                read.addAll(Objects.requireNonNull(reader.read(message)));
            }
            assertThat(shown(read)).isEqualTo(shown(written));
        }
    }

    @Property(tries = 200)
    void nothingIsReadBehindALostMessageUntilAnotherStreamBegins(
            @ForAll long seed, @ForAll @IntRange(min = 8, max = 30) int count) {
        Random random = new Random(seed);
        List<byte[]> messages = messages(new ChangeStream.Writer(1), random, any(random, count));
        int lost = random.nextInt(messages.size());
        ChangeStream.Reader reader = new ChangeStream.Reader();
        for (int i = 0; i < messages.size(); i++) {
            if (i < lost) {
                assertThat(reader.read(messages.get(i))).isNotNull();
            } else if (i > lost) {
                assertThat(reader.read(messages.get(i))).isNull();
            }
        }
        List<Changeset> again = any(random, 1);
        assertThat(shown(Objects.requireNonNull(reader.read(new ChangeStream.Writer(2).write(again)))))
                .isEqualTo(shown(again));
        // What is left of the other one comes late.
        assertThat(reader.read(messages.get(messages.size() - 1)) == null || messages.size() == 1)
                .isTrue();
    }

    @Property(tries = 2000)
    void damageIsOneKindOfException(@ForAll @Size(max = 60) byte[] noise, @ForAll long seed) {
        Random random = new Random(seed);
        ChangeStream.Reader reader = new ChangeStream.Reader();
        byte[] message = new ChangeStream.Writer(1).write(any(random, 3));
        if (random.nextBoolean()) {
            message[random.nextInt(message.length)] ^= (byte) (1 << random.nextInt(8));
        } else {
            message = noise;
        }
        try {
            reader.read(message);
        } catch (IllegalArgumentException e) {
            assertThat(reader.read(new ChangeStream.Writer(1).write(any(random, 1))))
                    .as("a stream that begins goes on")
                    .isNotNull();
        }
    }

    @Example
    void aChangeBehindAnotherCostsAFewOctetsMoreThanItsRows() {
        ChangeStream.Writer writer = new ChangeStream.Writer(12345);
        byte[] rows = new byte[50];
        VersionVector deps = VersionVector.EMPTY;
        for (int i = 1; i < 50; i++) {
            deps = deps.with(origin(i), 1000 + i);
        }
        int first = 0;
        for (int i = 1; i <= 1000; i++) {
            Dot dot = new Dot(APP, origin(0), i);
            byte[] message = writer.write(List.of(new Changeset(dot, Hlc.of(1_000_000 + 20L * i, 0), deps, rows)));
            deps = deps.with(dot.origin(), dot.sequence());
            if (i == 1) {
                first = message.length;
            } else {
                assertThat(message.length - rows.length).isLessThanOrEqualTo(16);
            }
        }
        assertThat(first).as("the first names everything").isGreaterThan(50 * 33);
    }

    @Example
    void aStreamThatWouldNameTooMuchIsFullAndOneThatDoesIsDamaged() {
        ChangeStream.Writer writer = new ChangeStream.Writer(1);
        ChangeStream.Reader reader = new ChangeStream.Reader();
        Map<Origin, Long> many = new HashMap<>();
        for (int i = 0; i < 200; i++) {
            byte[] node = new byte[32];
            node[0] = (byte) i;
            many.put(new Origin(NodeId.of(node), 1), 1L);
        }
        VersionVector deps = VersionVector.of(many);
        for (int i = 0; !writer.isFull(); i++) {
            assertThat(reader.read(writer.write(List.of(change(i, deps))))).hasSize(1);
            assertThat(i).isLessThan(200);
        }
        assertThatThrownBy(() -> {
                    for (int i = 200; i < 600; i++) {
                        reader.read(writer.write(List.of(change(i, deps))));
                    }
                })
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("more than");
    }

    private static Changeset change(int scope, VersionVector deps) {
        return new Changeset(new Dot(new Scope("s" + scope), origin(0), 1), new Hlc(1), deps, new byte[0]);
    }
}
