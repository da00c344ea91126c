package sh.fazt.link;

import java.security.cert.CertificateException;

/** Who answered is not whom we called. */
final class WrongKeyException extends CertificateException {
    private static final long serialVersionUID = 1L;

    private final boolean node;

    /** @param node whether who answered is a node at all */
    WrongKeyException(String message, boolean node) {
        super(message);
        this.node = node;
    }

    boolean isNode() {
        return node;
    }
}
