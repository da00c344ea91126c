package sh.fazt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SwarmCommandsTest {
    @Test
    void theStatusSaysUnderTheTableWhyAMemberCantBeLinked() {
        String status = SwarmCommands.table(Json.read("""
                {"swarm": {"id": "s", "name": "family"}, "self": {"id": "a", "name": "home"}, "leader": null,
                 "quorum": true, "config_version": 7, "members": [
                  {"id": "a", "name": "home", "role": "leader", "state": "alive", "problem": ""},
                  {"id": "b", "name": "phone", "role": "voter", "state": "dead",
                   "problem": "it speaks peer protocol 3 to 4, this node 1 to 1: update fazt on this node"}]}
                """));
        assertThat(status.lines())
                .endsWith("phone can't be linked: it speaks peer protocol 3 to 4, this node 1 to 1: update fazt on this"
                        + " node")
                .noneMatch(line -> line.startsWith("home can't be linked"));
    }
}
