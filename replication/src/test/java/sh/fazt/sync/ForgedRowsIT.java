package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.ReplicaStore.Applied;
import sh.fazt.cartridge.change.Row;
import sh.fazt.cartridge.change.RowCodec;
import sh.fazt.cartridge.change.Stamp;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.link.Channel;
import sh.fazt.testkit.Await;

/** A member that makes up changes in another's name: real cartridges, real links. */
@Timeout(120)
class ForgedRowsIT {
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    Path folder;

    private Side victim;
    private Side honest;
    private Side liar;

    @BeforeEach
    void start() {
        victim = new Side(folder.resolve("victim"));
        honest = new Side(folder.resolve("honest"));
        liar = new Side(folder.resolve("liar"));
    }

    @AfterEach
    void stop() {
        liar.close();
        honest.close();
        victim.close();
    }

    /** The liar makes up a change of the victim's, and passes it on like any. */
    private void lie(long sequence) {
        Stamp stamp = new Stamp(
                victim.cartridge.replica().origin(), sequence, Hlc.of(System.currentTimeMillis(), (int) sequence));
        RowCodec.Writer rows = new RowCodec.Writer(stamp);
        rows.row(new Row("pair", false, List.of("forged" + sequence), stamp, false, Map.of("value", "f")));
        Changeset changeset = new Changeset(
                new Dot(Side.SCOPE, stamp.origin(), sequence),
                stamp.hlc(),
                VersionVector.EMPTY.with(stamp.origin(), sequence - 1),
                rows.take());
        assertThat(liar.cartridge
                        .replica()
                        .apply(changeset)
                        .toCompletableFuture()
                        .join())
                .isEqualTo(Applied.DONE);
    }

    @Test
    void whatTheVictimWritesAfterwardsIsSeenByAllAndWhoMadeUpTheRestIsNamed() {
        honest.trust(victim, liar);
        liar.trust(honest);
        victim.trust(honest);
        Await.until("all are linked", SOON, () -> honest.linked(2));
        victim.set("a");
        victim.set("b");
        Await.until("both are everywhere", SOON, () -> liar.pairs() == 2);
        // The victim is cut off, so that its own changes get the numbers of those that were made up.
        victim.trust();
        honest.trust(liar);
        Await.until("it is cut off", SOON, () -> honest.linked(1));
        for (int sequence = 3; sequence <= 6; sequence++) {
            lie(sequence);
        }
        Await.until("the others believe it", SOON, () -> honest.pairs() == 6);
        victim.set("c");
        victim.trust(honest, liar);
        honest.trust(victim, liar);
        liar.trust(victim, honest);
        Await.until("it hears of it", SOON, () -> victim.epochs.get() == 1);
        victim.set("d");
        Await.until(
                "all is everywhere, what had one number too",
                SOON,
                () -> victim.pairs() == 8 && honest.pairs() == 8 && liar.pairs() == 8);
        Await.until(
                "the victim tells that others claim",
                SOON,
                () -> victim.named.stream().anyMatch(text -> text.startsWith("claim ")));
        Await.until(
                "who handed it in is named",
                SOON,
                () -> honest.named.stream()
                        .anyMatch(text -> text.startsWith("forged " + liar.key.id())
                                && text.contains(victim.key.id().shortText())));
        assertThat(honest.sync.counters(liar.key.id()).forged()).isEqualTo(1);
        assertThat(liar.named).as("who made it up has it from nobody").noneMatch(text -> text.startsWith("forged"));
        assertThat(victim.epochs).hasValue(1);
    }

    @Test
    void aNodeThatWasSetBackIsToldSoByTheOthersAndNobodyIsAccused() {
        honest.trust(victim);
        victim.trust(honest);
        Await.until("they are linked", SOON, () -> honest.linked(1));
        for (int i = 0; i < 3; i++) {
            victim.set("k" + i);
        }
        Await.until("all is there", SOON, () -> honest.pairs() == 3);
        // What its cartridge has lost, in the words of the protocol.
        victim.links.send(
                honest.key.id(),
                Channel.VECTORS,
                SyncCodec.denial(
                        Map.of(Side.SCOPE, Map.of(victim.cartridge.replica().origin(), 1L))),
                Duration.ofSeconds(5));
        Await.until(
                "it is told",
                SOON,
                () -> honest.named.stream().anyMatch(text -> text.startsWith("set-back " + victim.key.id())));
        assertThat(honest.named).noneMatch(text -> text.startsWith("forged"));
    }
}
