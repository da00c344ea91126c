package sh.fazt.link;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Books.ForgedBookException;
import sh.fazt.protocol.peer.v1.Book;
import sh.fazt.protocol.peer.v1.SignedBook;

final class BooksTest {
    private static final long NOW = 1_700_000_000_000L;

    private final NodeKey key = NodeKey.generate();
    private final Books mine = new Books(key);
    private final Books theirs = new Books(NodeKey.generate());

    private SignedBook publish(String... addresses) {
        Map<HostPort, AddressSource> all = new HashMap<>();
        for (String address : addresses) {
            all.put(HostPort.parse(address), AddressSource.CONFIGURED);
        }
        SignedBook signed = mine.publish("s", all, NOW);
        return signed == null ? SignedBook.getDefaultInstance() : signed;
    }

    @Test
    void aBookIsBelievedOnceAndANewerOneTakesItsPlace() throws Exception {
        Books.Entry first = Books.verify(publish("10.0.0.1:5").toByteArray(), "s", NOW);
        Books.Entry second = Books.verify(publish("10.0.0.2:5").toByteArray(), "s", NOW);
        assertThat(theirs.take(second)).isTrue();
        assertThat(theirs.take(first)).as("an older one").isFalse();
        assertThat(theirs.take(second)).as("the same again").isFalse();
        assertThat(second.node()).isEqualTo(key.id());
        assertThat(second.addresses()).containsOnlyKeys(HostPort.parse("10.0.0.2:5"));
        assertThat(theirs.newerThan(mine.known())).isEmpty();
        assertThat(theirs.newerThan(List.of())).containsExactly(second.signed());
    }

    @Test
    void whatHasNotChangedIsNotPublishedAgain() {
        publish("10.0.0.1:5");
        assertThat(publish("10.0.0.1:5")).isEqualTo(SignedBook.getDefaultInstance());
    }

    @Test
    void whoJoinsAnotherSwarmSignsAnewAndForgetsTheOthers() throws Exception {
        Books.Entry old = Books.verify(publish("10.0.0.1:5").toByteArray(), "s", NOW);
        theirs.take(old);
        theirs.publish("t", Map.of(), NOW);
        assertThat(theirs.known()).hasSize(1);
        SignedBook anew = mine.publish("t", Map.of(HostPort.parse("10.0.0.1:5"), AddressSource.CONFIGURED), NOW);
        assertThat(anew).isNotNull();
        assertThat(Books.verify(Objects.requireNonNull(anew).toByteArray(), "t", NOW)
                        .version())
                .isGreaterThan(old.version());
    }

    @Test
    void anotherAddressUnderTheSameSignatureIsForged() {
        SignedBook signed = publish("10.0.0.1:5");
        Book.Builder book = Book.newBuilder();
        try {
            book.mergeFrom(signed.getBook());
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
        book.getCandidatesBuilder(0).setAddress("6.6.6.6:6");
        SignedBook forged =
                signed.toBuilder().setBook(book.build().toByteString()).build();
        assertThatThrownBy(() -> Books.verify(forged.toByteArray(), "s", NOW))
                .isInstanceOf(ForgedBookException.class)
                .hasMessageContaining("signature");
    }

    @Test
    void aBookInAnothersNameIsForgedHoweverWellItIsSigned() {
        NodeKey victim = NodeKey.generate();
        SignedBook signed = publish("10.0.0.1:5");
        SignedBook asVictim = signed.toBuilder()
                .setPublicKey(
                        ByteString.copyFrom(victim.certificate().getPublicKey().getEncoded()))
                .build();
        assertThatThrownBy(() -> Books.verify(asVictim.toByteArray(), "s", NOW))
                .isInstanceOf(ForgedBookException.class);
    }

    @Test
    void anotherSwarmAFarFutureAndGarbageAreRefused() {
        SignedBook signed = publish("10.0.0.1:5");
        assertThatThrownBy(() -> Books.verify(signed.toByteArray(), "other", NOW))
                .hasMessageContaining("another swarm");
        assertThatThrownBy(() -> Books.verify(signed.toByteArray(), "s", NOW - 500L * 86_400_000))
                .isInstanceOf(Books.EarlyBookException.class)
                .hasMessageContaining("a year ahead");
        assertThatThrownBy(() -> Books.verify(new byte[] {1, 2, 3}, "s", NOW)).isInstanceOf(ForgedBookException.class);
        assertThatThrownBy(() -> Books.verify(new byte[0], "s", NOW)).isInstanceOf(ForgedBookException.class);
    }

    @Test
    void aRestoredNodeWritesAfterWhatItHadPublishedBefore() throws Exception {
        SignedBook before = publish("10.0.0.1:5");
        Books restored = new Books(key);
        Books.Entry old = Books.verify(before.toByteArray(), "s", NOW);
        assertThat(restored.take(old)).isTrue();
        SignedBook next = restored.publish("s", Map.of(HostPort.parse("1.1.1.1:1"), AddressSource.MAPPED), NOW - 9999);
        assertThat(next).isNotNull();
        assertThat(Books.verify(Objects.requireNonNull(next).toByteArray(), "s", NOW)
                        .version())
                .isGreaterThan(old.version());
    }
}
