package sh.fazt.link;

import java.security.cert.CertificateException;

/** Who answered is not whom we called. */
final class WrongKeyException extends CertificateException {
    private static final long serialVersionUID = 1L;

    WrongKeyException(String message) {
        super(message);
    }
}
