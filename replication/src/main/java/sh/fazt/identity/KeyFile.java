package sh.fazt.identity;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.IdentityException.Reason;

/** The node key in its file: two PEM blocks, so that openssl reads it too. Stateless. */
final class KeyFile {
    private static final String KEY = "PRIVATE KEY";
    private static final String CERTIFICATE = "CERTIFICATE";
    // A key and its certificate are about 700 bytes; more is some other file.
    private static final int MAX_BYTES = 64 << 10;
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");

    private KeyFile() {}

    static void create(Path file, PrivateKey key, X509Certificate certificate) {
        Path draft = null;
        try {
            String text = pem(KEY, key.getEncoded()) + pem(CERTIFICATE, certificate.getEncoded());
            draft = Files.createTempFile(
                    file.toAbsolutePath().getParent(), file.getFileName() + ".", ".new", ownerOnly());
            try (FileChannel out = FileChannel.open(draft, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                out.force(true);
            }
            publish(draft, file);
            force(file);
        } catch (FileAlreadyExistsException e) {
            throw new IdentityException(
                    Reason.KEY_EXISTS, "creating the node key " + file + ": there is a file, which is kept", e);
        } catch (IOException | GeneralSecurityException e) {
            throw new IdentityException(
                    Reason.KEY_UNREADABLE,
                    "creating the node key " + file + " failed (" + said(e)
                            + "): its folder has to exist and to be writable",
                    e);
        } finally {
            discard(draft);
        }
    }

    private static FileAttribute<?>[] ownerOnly() {
        return isPosix()
                ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER_ONLY)}
                : new FileAttribute<?>[0];
    }

    /** A hard link fails where the name is taken, which a rename does not; some file systems have none. */
    private static void publish(Path draft, Path file) throws IOException {
        try {
            Files.createLink(file, draft);
        } catch (FileAlreadyExistsException e) {
            throw e;
        } catch (IOException | UnsupportedOperationException noLinks) {
            if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new FileAlreadyExistsException(file.toString());
            }
            Files.move(draft, file);
        }
    }

    /** Has the disk know the file by its name; where a folder can't be opened, as on Windows, it is known by then. */
    static void force(Path file) throws IOException {
        if (isPosix()) {
            try (FileChannel folder = FileChannel.open(file.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
                folder.force(true);
            }
        }
    }

    private static void discard(@Nullable Path draft) {
        if (draft != null) {
            try {
                Files.deleteIfExists(draft);
            } catch (IOException e) {
                // The key itself is in place or was reported; a left draft is as private as the key.
                draft.toFile().deleteOnExit();
            }
        }
    }

    static NodeKey load(Path file) {
        String text;
        try {
            protect(file);
            long size = Files.size(file);
            if (size > MAX_BYTES) {
                throw damaged(file, "it has " + size + " bytes, a key has less than 1000", null);
            }
            text = Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            throw new IdentityException(
                    Reason.KEY_MISSING, "reading the node key " + file + ": there is no such file", e);
        } catch (IOException e) {
            throw new IdentityException(
                    Reason.KEY_UNREADABLE,
                    "reading the node key " + file + " failed (" + said(e)
                            + "): the user that runs the node has to own it, with mode 0600",
                    e);
        }
        try {
            PrivateKey key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(block(text, KEY)));
            X509Certificate certificate = (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(block(text, CERTIFICATE)));
            return NodeKey.of(key, certificate);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw damaged(file, said(e), e);
        }
    }

    private static IdentityException damaged(Path file, String why, @Nullable Throwable cause) {
        String message = "the node key " + file + " is damaged (" + why
                + "). It is this node's identity in its swarm: put the file back from a backup; without one, move"
                + " it away, start again with a new identity and join the swarm anew";
        return cause == null
                ? new IdentityException(Reason.KEY_DAMAGED, message)
                : new IdentityException(Reason.KEY_DAMAGED, message, cause);
    }

    /** Takes the file away from group and others, whoever gave it to them. */
    private static void protect(Path file) throws IOException {
        if (isPosix() && !OWNER_ONLY.containsAll(Files.getPosixFilePermissions(file))) {
            Files.setPosixFilePermissions(file, OWNER_ONLY);
        }
    }

    private static boolean isPosix() {
        return FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    }

    private static String said(Exception e) {
        String message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : e.getClass().getSimpleName() + ": " + message;
    }

    private static String pem(String name, byte[] der) {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return "-----BEGIN " + name + "-----\n" + body + "\n-----END " + name + "-----\n";
    }

    private static byte[] block(String text, String name) {
        String begin = "-----BEGIN " + name + "-----";
        int from = text.indexOf(begin);
        int to = text.indexOf("-----END " + name + "-----", Math.max(from, 0));
        if (from < 0 || to < 0) {
            throw new IllegalArgumentException("it has no whole " + name + " block");
        }
        return Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
    }
}
