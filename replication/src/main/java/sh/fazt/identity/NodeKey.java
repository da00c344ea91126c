package sh.fazt.identity;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.X509EncodedKeySpec;

/**
 * A node's key: ECDSA P-256 with a self-signed certificate around it. The certificate only carries the
 * key through TLS; nothing in it but the key is ever believed, dates included. Immutable.
 */
public final class NodeKey {
    private final NodeId id;
    private final PrivateKey privateKey;
    private final X509Certificate certificate;

    private NodeKey(PrivateKey privateKey, X509Certificate certificate) {
        this.id = idOf(certificate.getPublicKey());
        this.privateKey = privateKey;
        this.certificate = certificate;
    }

    /** A new key that is in no file. */
    public static NodeKey generate() {
        try {
            SecureRandom random = new SecureRandom();
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"), random);
            KeyPair pair = generator.generateKeyPair();
            return new NodeKey(pair.getPrivate(), certify(pair, new BigInteger(63, random)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java can't make an ECDSA P-256 key: " + e.getMessage(), e);
        }
    }

    /**
     * Makes a key and its file, readable by its owner only. The file appears whole or not at all.
     *
     * @throws IdentityException {@code KEY_EXISTS} when there is a file already, {@code KEY_UNREADABLE} when
     *     it can't be written
     */
    public static NodeKey create(Path file) {
        NodeKey key = generate();
        KeyFile.create(file, key.privateKey, key.certificate);
        return key;
    }

    /**
     * Makes a new key in the place of that file's, which is gone after that; in one step, whatever happens meanwhile.
     *
     * @throws IdentityException {@code KEY_UNREADABLE} when it can't be written
     */
    public static NodeKey replace(Path file) {
        dropNext(file);
        NodeKey key = create(next(file));
        takeNext(file);
        return key;
    }

    /** Where the key lies that is to take the place of that file's. */
    public static Path next(Path file) {
        return file.resolveSibling(file.getFileName() + ".next");
    }

    /**
     * Puts the next key in the place of that file's, in one step.
     *
     * @throws IdentityException {@code KEY_UNREADABLE} when it can't be written
     */
    public static void takeNext(Path file) {
        try {
            Files.move(next(file), file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            KeyFile.force(file);
        } catch (IOException e) {
            throw notReplaced(file, e);
        }
    }

    /**
     * Takes the next key away, if there is one.
     *
     * @throws IdentityException {@code KEY_UNREADABLE} when it can't be
     */
    public static void dropNext(Path file) {
        try {
            if (Files.deleteIfExists(next(file))) {
                KeyFile.force(file);
            }
        } catch (IOException e) {
            throw notReplaced(file, e);
        }
    }

    private static IdentityException notReplaced(Path file, IOException e) {
        return new IdentityException(
                IdentityException.Reason.KEY_UNREADABLE,
                "replacing the node key " + file + " failed (" + e + "): check who may write in its folder",
                e);
    }

    /**
     * Reads the key; a file that others may read is made the owner's only first.
     *
     * @throws IdentityException {@code KEY_MISSING}, {@code KEY_UNREADABLE} or {@code KEY_DAMAGED}
     */
    public static NodeKey load(Path file) {
        return KeyFile.load(file);
    }

    /** The key of that file, made at the first start. */
    public static NodeKey loadOrCreate(Path file) {
        try {
            return load(file);
        } catch (IdentityException e) {
            if (e.reason() != IdentityException.Reason.KEY_MISSING) {
                throw e;
            }
            return create(file);
        }
    }

    /**
     * Puts a key and its certificate together.
     *
     * @throws GeneralSecurityException when they don't belong together or the key is of another kind
     */
    static NodeKey of(PrivateKey key, X509Certificate certificate) throws GeneralSecurityException {
        byte[] probe = "fazt node key".getBytes(StandardCharsets.US_ASCII);
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(key);
        signature.update(probe);
        byte[] signed = signature.sign();
        signature.initVerify(certificate.getPublicKey());
        signature.update(probe);
        if (!signature.verify(signed)) {
            throw new GeneralSecurityException("the private key and the certificate are not of one pair");
        }
        return new NodeKey(key, certificate);
    }

    /** The node that owns this public key. */
    public static NodeId idOf(PublicKey key) {
        try {
            return NodeId.of(MessageDigest.getInstance("SHA-256").digest(key.getEncoded()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }

    /** Who has this key. */
    public NodeId id() {
        return id;
    }

    /** The public half, as X.509 has it. */
    public byte[] publicKey() {
        return certificate.getPublicKey().getEncoded();
    }

    /**
     * Signs.
     *
     * @param domain what the bytes are, so that they pass for nothing else
     */
    public byte[] sign(byte[] domain, byte[] bytes) {
        try {
            Signature signer = Signature.getInstance("SHA256withECDSA");
            signer.initSign(privateKey);
            signer.update(domain);
            signer.update(bytes);
            return signer.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java can't sign with the node's key", e);
        }
    }

    /**
     * The node that signed.
     *
     * @param publicKey as X.509 has it
     * @throws GeneralSecurityException when the key can't be read, or did not sign this
     */
    public static NodeId signer(byte[] publicKey, byte[] domain, byte[] bytes, byte[] signature)
            throws GeneralSecurityException {
        PublicKey owner = KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(publicKey));
        Signature check = Signature.getInstance("SHA256withECDSA");
        check.initVerify(owner);
        check.update(domain);
        check.update(bytes);
        if (!check.verify(signature)) {
            throw new SignatureException("its signature does not fit");
        }
        return idOf(owner);
    }

    /** Never leaves this process but into its file. */
    public PrivateKey privateKey() {
        return privateKey;
    }

    /** What TLS shows to peers. */
    public X509Certificate certificate() {
        return certificate;
    }

    /** Names the node, never its key. */
    @Override
    public String toString() {
        return "NodeKey[" + id.shortText() + "]";
    }

    /** Whether a certificate is named as a node's is: that says what a server takes itself for, and proves nothing. */
    public static boolean isNamed(X509Certificate certificate, NodeId owner) {
        return certificate.getSubjectX500Principal().getName().equals("CN=" + commonName(owner));
    }

    private static String commonName(NodeId owner) {
        return "fazt " + owner.shortText();
    }

    private static X509Certificate certify(KeyPair pair, BigInteger serial) throws GeneralSecurityException {
        byte[] algorithm = Der.sequence(Der.oid(1, 2, 840, 10045, 4, 3, 2));
        String common = commonName(idOf(pair.getPublic()));
        byte[] name = Der.sequence(Der.set(Der.sequence(Der.oid(2, 5, 4, 3), Der.utf8(common))));
        // RFC 5280, 4.1.2.5: the end that means "none". Trust ends by eviction, not by a date.
        byte[] validity = Der.sequence(Der.utcTime("000101000000Z"), Der.generalizedTime("99991231235959Z"));
        byte[] noAuthority = Der.sequence(Der.oid(2, 5, 29, 19), Der.octetString(Der.sequence()));
        byte[] body = Der.sequence(
                Der.explicit(0, Der.integer(BigInteger.TWO)),
                Der.integer(serial.add(BigInteger.ONE)),
                algorithm,
                name,
                validity,
                name,
                pair.getPublic().getEncoded(),
                Der.explicit(3, Der.sequence(noAuthority)));
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(pair.getPrivate());
        signature.update(body);
        byte[] whole = Der.sequence(body, algorithm, Der.bitString(signature.sign()));
        return (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(whole));
    }
}
