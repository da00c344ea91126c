package sh.fazt.link;

import java.util.List;

/**
 * What a node says of itself when it asks to join. Immutable.
 *
 * @param name      the name it would like to have in the swarm
 * @param addresses {@code host:port} where its swarm port can be reached; may be empty
 * @param observer  that it sleeps at times and shall not vote
 * @param schemaLevel of its release
 */
public record Applicant(String name, List<String> addresses, boolean observer, int schemaLevel) {
    public Applicant {
        addresses = List.copyOf(addresses);
    }
}
