package sh.fazt.hosting.route;

import java.util.Map;

/** The port to the swarm's agreed names. */
public interface AliasSource {
    /** Label to app id; an empty id means that the label leads nowhere, whatever apps are called. */
    Map<String, String> aliases();
}
