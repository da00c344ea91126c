package sh.fazt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SwarmCommandsTest {
    @Test
    void theStatusSaysUnderTheTableWhatIsWrongWithAMember() {
        String status = SwarmCommands.table(Json.read("""
                {"swarm": {"id": "s", "name": "family"}, "self": {"id": "a", "name": "home"}, "leader": null,
                 "quorum": true, "config_version": 7, "members": [
                  {"id": "a", "name": "home", "role": "leader", "state": "alive", "problem": "",
                   "sync": {"offences": 0, "floods": 0}},
                  {"id": "c", "name": "tv", "role": "voter", "state": "alive", "problem": "",
                   "sync": {"offences": 1, "floods": 12}},
                  {"id": "b", "name": "phone", "role": "voter", "state": "dead",
                   "problem": "it speaks peer protocol 3 to 4, this node 1 to 1: update fazt on this node"}]}
                """));
        assertThat(status.lines())
                .contains(
                        "tv broke the rules 1 time: see \"fazt swarm events\"",
                        "tv sent faster than this node took it 12 times: see \"fazt swarm events\"")
                .endsWith("phone can't be linked: it speaks peer protocol 3 to 4, this node 1 to 1: update fazt on this"
                        + " node")
                .noneMatch(line -> line.startsWith("home ") && !line.startsWith("home *"));
    }
}
