package sh.fazt.link;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodePin;

/** One node's application to join, as the issuer received it. Immutable. */
public final class JoinApplication {
    private static final byte[] PURPOSE = "fazt join 1".getBytes(StandardCharsets.US_ASCII);

    private final String tokenId;
    private final NodeId node;
    private final NodePin issuer;
    private final Applicant applicant;
    private final String observedAddress;
    private final byte[] challenge;
    private final byte[] nonce;
    private final byte[] proof;

    JoinApplication(
            String tokenId,
            NodeId node,
            NodePin issuer,
            Applicant applicant,
            String observedAddress,
            byte[] challenge,
            byte[] nonce,
            byte[] proof) {
        this.tokenId = tokenId;
        this.node = node;
        this.issuer = issuer;
        this.applicant = applicant;
        this.observedAddress = observedAddress;
        this.challenge = challenge.clone();
        this.nonce = nonce.clone();
        this.proof = proof.clone();
    }

    /** The token's name. */
    public String tokenId() {
        return tokenId;
    }

    /** Who applies. */
    public NodeId node() {
        return node;
    }

    /** The name it would like to have. */
    public String name() {
        return applicant.name();
    }

    /** Where it says that it can be dialled. */
    public List<String> addresses() {
        return applicant.addresses();
    }

    /** Whether it sleeps at times and shall not vote. */
    public boolean observer() {
        return applicant.observer();
    }

    /** What schema level its release has. */
    public int schemaLevel() {
        return applicant.schemaLevel();
    }

    /** The host that the application came from, without a port. */
    public String observedAddress() {
        return observedAddress;
    }

    /** Whether the applicant holds this secret. Takes the same time for every wrong one. */
    public boolean provenBy(byte[] secret) {
        return MessageDigest.isEqual(proof, proof(secret, tokenId, node, issuer, challenge, nonce));
    }

    static byte[] proof(byte[] secret, String token, NodeId node, NodePin issuer, byte[] challenge, byte[] nonce) {
        return JoinToken.proof(
                secret,
                PURPOSE,
                token.getBytes(StandardCharsets.UTF_8),
                node.bytes(),
                issuer.bytes(),
                challenge,
                nonce);
    }

    @Override
    public String toString() {
        return "JoinApplication[" + node.shortText() + " named " + applicant.name() + " with token " + tokenId
                + ", nonce " + Arrays.hashCode(nonce) + "]";
    }
}
