package sh.fazt.link;

import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.util.List;
import java.util.function.Predicate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.identity.NodePin;

/**
 * TLS 1.3 of the JDK with keys in the place of certificates: the handshake proves that the other side owns
 * its key, and only the key's NodeId is looked at. Dates and names are not. Stateless.
 */
final class Tls {
    private static final String TLS = "TLSv1.3";

    private Tls() {}

    /** Takes callers with any node key, and with none: who may call what is decided per call. */
    static SslContext server(NodeKey key) throws SSLException {
        SslContextBuilder builder = SslContextBuilder.forServer(new OwnKey(key))
                .trustManager(new KeyTrust(any -> true, ""))
                .clientAuth(ClientAuth.OPTIONAL);
        return GrpcSslContexts.configure(builder, SslProvider.JDK)
                .protocols(TLS)
                .build();
    }

    /** Talks to exactly that node. Made for each dial, so that no session outlives the trust in a peer. */
    static SslContext client(NodeKey key, NodeId expected) throws SSLException {
        return client(key, new KeyTrust(expected::equals, expected.shortText()));
    }

    /** Talks to the node with that pin only. */
    static SslContext client(NodeKey key, NodePin expected) throws SSLException {
        return client(key, new KeyTrust(expected::matches, expected.shortText()));
    }

    private static SslContext client(NodeKey key, KeyTrust trust) throws SSLException {
        SslContextBuilder builder =
                SslContextBuilder.forClient().keyManager(new OwnKey(key)).trustManager(trust);
        return GrpcSslContexts.configure(builder, SslProvider.JDK)
                .protocols(TLS)
                .build();
    }

    /**
     * Shows a node's own key. A key in a file of its kind would be sealed and opened again by ten thousand rounds of
     * hashing at each dial, a tenth of a second.
     */
    private static final class OwnKey extends X509ExtendedKeyManager {
        private static final String NAME = "node";

        private final NodeKey key;

        OwnKey(NodeKey key) {
            this.key = key;
        }

        private static @Nullable String name(String... types) {
            return List.of(types).contains("EC") ? NAME : null;
        }

        @Override
        public @Nullable String chooseEngineClientAlias(String[] types, Principal[] issuers, SSLEngine engine) {
            return name(types);
        }

        @Override
        public @Nullable String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) {
            return name(type);
        }

        @Override
        public @Nullable String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            return name(types);
        }

        @Override
        public @Nullable String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
            return name(type);
        }

        @Override
        public String[] getClientAliases(String type, Principal[] issuers) {
            return new String[] {NAME};
        }

        @Override
        public String[] getServerAliases(String type, Principal[] issuers) {
            return new String[] {NAME};
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return new X509Certificate[] {key.certificate()};
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return key.privateKey();
        }
    }

    /** Extended, because the JDK adds its own checks of names and algorithms to any other kind. */
    private static final class KeyTrust extends X509ExtendedTrustManager {
        private final Predicate<NodeId> expected;
        private final String name;

        /** @param name of whom is expected, for people */
        KeyTrust(Predicate<NodeId> expected, String name) {
            this.expected = expected;
            this.name = name;
        }

        private void check(X509Certificate[] chain) throws CertificateException {
            if (chain.length == 0 || !(chain[0].getPublicKey() instanceof ECPublicKey key)) {
                throw new WrongKeyException(
                        "the TLS server that answers there shows no node key, it is no fazt node", false);
            }
            NodeId seen = NodeKey.idOf(key);
            if (!expected.test(seen)) {
                if (!NodeKey.isNamed(chain[0], seen)) {
                    throw new WrongKeyException(
                            "the TLS server that answers there shows a key that is no node's, it is no fazt node",
                            false);
                }
                throw new WrongKeyException(
                        "another node answers there: expected the key of node " + name + ", saw that of "
                                + seen.shortText(),
                        true);
            }
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            check(chain);
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
                throws CertificateException {
            check(chain);
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
