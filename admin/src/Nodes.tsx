import { Fragment } from "react";
import type { SwarmStatus } from "./api";
import { behind, complaints, heard, roundTrip } from "./format";
import { Card, Notice, State } from "./parts";

export function Nodes({ status }: { status: SwarmStatus }) {
  const alive = status.members.filter((member) => member.state === "alive").length;
  return (
    <div className="grid grid-cols-1 gap-3">
      {!status.quorum && (
        <Notice tone="warning">
          No quorum: this side of the swarm can’t change members or aliases. Sites, apps, deploys and data go on
          working, and converge when the others are back.
        </Notice>
      )}
      {status.warning && <Notice tone="warning">{status.warning}</Notice>}
      <Card title="Nodes" aside={`${alive} of ${status.members.length} alive`}>
        <div className="overflow-x-auto">
          <table className="w-full text-left text-sm">
            <thead className="text-muted">
              <tr>
                {["Name", "State", "Heard", "Role", "Address", "Round trip", "Behind"].map((head) => (
                  <th key={head} scope="col" className="px-5 py-2 font-medium">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {status.members.map((member) => {
                const self = member.id === status.self.id;
                const said = complaints(member);
                return (
                  <Fragment key={member.id}>
                  <tr className="border-t border-line" data-node={member.name}>
                    <th scope="row" className="px-5 py-2.5 font-medium">
                      {member.name}
                      {self && <span className="ml-2 font-normal text-muted">this node</span>}
                    </th>
                    <td className="px-5 py-2.5">
                      <State state={member.state} />
                    </td>
                    <td className="px-5 py-2.5 tabular-nums">{self ? "–" : heard(member.last_heard_ms)}</td>
                    <td className="px-5 py-2.5">{member.role}</td>
                    <td className="px-5 py-2.5 font-mono text-xs">{member.address}</td>
                    <td className="px-5 py-2.5 tabular-nums">{self ? "–" : roundTrip(member.rtt_ms)}</td>
                    <td className="px-5 py-2.5 tabular-nums">{self ? "–" : behind(member.behind)}</td>
                  </tr>
                  {said.length > 0 && (
                    <tr data-complaints={member.name}>
                      <td colSpan={7} className="px-5 pb-2.5">
                        <ul className="sticky left-5 grid w-fit max-w-[calc(100vw-5rem)] gap-1 border-l-2 border-amber-500 pl-3 wrap-anywhere">
                          {said.map((line) => (
                            <li key={line}>{line}</li>
                          ))}
                        </ul>
                      </td>
                    </tr>
                  )}
                  </Fragment>
                );
              })}
            </tbody>
          </table>
        </div>
      </Card>
    </div>
  );
}
