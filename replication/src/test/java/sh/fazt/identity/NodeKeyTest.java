package sh.fazt.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.identity.IdentityException.Reason;

final class NodeKeyTest {
    @TempDir
    private Path folder;

    private Path file() {
        return folder.resolve("data.db.key");
    }

    private static Reason reason(Throwable error) {
        return ((IdentityException) error).reason();
    }

    @Test
    void whatWasCreatedIsLoaded() {
        NodeKey made = NodeKey.create(file());
        NodeKey read = NodeKey.load(file());
        assertThat(read.id()).isEqualTo(made.id());
        assertThat(read.certificate()).isEqualTo(made.certificate());
        assertThat(read.privateKey()).isEqualTo(made.privateKey());
    }

    @Test
    void aReplacedKeyIsGone() throws IOException {
        NodeKey old = NodeKey.create(file());
        NodeKey made = NodeKey.replace(file());
        assertThat(made.id()).isNotEqualTo(old.id());
        assertThat(NodeKey.load(file()).id()).isEqualTo(made.id());
        try (var left = Files.list(folder)) {
            assertThat(left).containsExactly(file());
        }
    }

    @Test
    void theIdIsTheHashOfThePublicKey() throws Exception {
        NodeKey key = NodeKey.generate();
        byte[] spki = key.certificate().getPublicKey().getEncoded();
        assertThat(key.id().bytes())
                .isEqualTo(MessageDigest.getInstance("SHA-256").digest(spki));
    }

    @Test
    void theCertificateIsItsOwnIssuersAndNeverExpires() throws Exception {
        NodeKey key = NodeKey.generate();
        key.certificate().verify(key.certificate().getPublicKey());
        assertThat(key.certificate().getVersion()).isEqualTo(3);
        assertThat(key.certificate().getNotAfter().toInstant()).isEqualTo("9999-12-31T23:59:59Z");
        assertThat(key.certificate().getBasicConstraints()).isEqualTo(-1);
        assertThat(key.certificate().getSubjectX500Principal().getName())
                .isEqualTo("CN=fazt " + key.id().shortText());
        assertThat(key.certificate().getSerialNumber()).isPositive();
    }

    @Test
    void onlyTheOwnerReadsTheFileAndNothingElseIsLeft() throws IOException {
        NodeKey.create(file());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files.toList()).isEqualTo(List.of(file()));
        }
    }

    @Test
    void aFileThatOthersMayReadIsTakenFromThem() throws IOException {
        NodeKey made = NodeKey.create(file());
        Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-r--r--"));
        assertThat(NodeKey.load(file()).id()).isEqualTo(made.id());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
                .isEqualTo("rw-------");
    }

    @Test
    void anExistingFileIsKept() {
        NodeKey made = NodeKey.create(file());
        assertThatThrownBy(() -> NodeKey.create(file()))
                .satisfies(e -> assertThat(reason(e)).isEqualTo(Reason.KEY_EXISTS));
        assertThat(NodeKey.load(file()).id()).isEqualTo(made.id());
        assertThat(NodeKey.loadOrCreate(file()).id()).isEqualTo(made.id());
    }

    @Test
    void aMissingFileIsMadeOnlyOnRequest() {
        assertThatThrownBy(() -> NodeKey.load(file()))
                .satisfies(e -> assertThat(reason(e)).isEqualTo(Reason.KEY_MISSING))
                .hasMessageContaining(file().toString());
        NodeKey made = NodeKey.loadOrCreate(file());
        assertThat(NodeKey.load(file()).id()).isEqualTo(made.id());
    }

    @Test
    void aMissingFolderIsNamed() {
        Path nowhere = folder.resolve("no/such/data.db.key");
        assertThatThrownBy(() -> NodeKey.create(nowhere))
                .satisfies(e -> assertThat(reason(e)).isEqualTo(Reason.KEY_UNREADABLE))
                .hasMessageContaining(nowhere.toString());
    }

    @Test
    void everyKindOfDamageIsToldWithWhatToDo() throws IOException {
        NodeKey.create(file());
        String whole = Files.readString(file());
        NodeKey other = NodeKey.create(folder.resolve("other.key"));
        assertThat(other.id()).isNotNull();
        String others = Files.readString(folder.resolve("other.key"));
        int certificate = whole.indexOf("-----BEGIN CERTIFICATE");
        List<String> damages = List.of(
                "",
                "not a key",
                whole.substring(0, whole.length() / 2),
                whole.substring(0, certificate),
                whole.substring(certificate),
                whole.substring(0, 60) + "!!" + whole.substring(62 + 20),
                whole.substring(0, certificate) + others.substring(others.indexOf("-----BEGIN CERTIFICATE")),
                "x".repeat(100_000));
        for (String damage : damages) {
            Files.writeString(file(), damage, StandardCharsets.US_ASCII);
            assertThatThrownBy(() -> NodeKey.loadOrCreate(file()))
                    .as(damage.length() > 200 ? damage.length() + " characters" : damage)
                    .isInstanceOf(IdentityException.class)
                    .satisfies(e -> assertThat(reason(e)).isEqualTo(Reason.KEY_DAMAGED))
                    .hasMessageContaining(file().toString())
                    .hasMessageContaining("backup");
            assertThat(Files.readString(file())).isEqualTo(damage);
        }
    }

    @Test
    void aKeyIsNeverInItsText() {
        assertThat(NodeKey.generate().toString()).matches("NodeKey\\[[a-z2-7]{8}\\]");
    }
}
