package sh.fazt.link;

import java.util.concurrent.CompletionStage;

/** Where the swarm's facade decides who is let in. Called on link threads: it must hand over and return. */
@FunctionalInterface
public interface JoinDesk {
    /**
     * Decides on one application. The applicant owns the key of its node id: TLS has proven it. That it holds the
     * token's secret is for the desk to check with {@link JoinApplication#provenBy}, as only the desk knows it.
     * A failed stage is answered as {@link JoinRefusal#BUSY} with the failure's message.
     */
    CompletionStage<JoinAnswer> admit(JoinApplication application);
}
