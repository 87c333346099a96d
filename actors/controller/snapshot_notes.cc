#include "actors/controller/snapshot_notes.h"

#include <algorithm>

#include "controller/placement/describe.h"
#include "messages/text.h"

namespace avocet {
namespace {

std::string NoteOfOrphans(const Orphans& orphans, const NodeId& node) {
  std::string names;
  for (const auto& copy : orphans.On(node))
    names += (names.empty() ? "" : ", ") + copy.app.str();
  return names.empty() ? names : ToText("left running, but not in the records: " + names);
}

void AddForeigner(NodeList& list, const ForeignerRefused& refused) {
  const auto row = std::find_if(list.nodes.begin(), list.nodes.end(),
                                [&](const NodeStatus& node) { return node.info.id == refused.node.id; });
  if (row == list.nodes.end())
    list.nodes.push_back({refused.node, DeviceHealth::kAway, refused.why});
  else
    row->note = refused.why;
}

} // namespace

NodeList ListAllNodes(const ClusterSnapshot& snapshot) {
  NodeList list{DescribeNodes(snapshot.view)};
  for (auto& node : list.nodes)
    node.note = NoteOfOrphans(snapshot.orphans, node.info.id);
  for (const auto& [id, refused] : snapshot.foreigners)
    AddForeigner(list, refused);
  return list;
}

ModelList ListAllModels(const ClusterSnapshot& snapshot) {
  ModelList list{DescribeModels(snapshot.view)};
  for (auto& row : list.models) {
    for (const auto& variant : row.model.variants) {
      const auto lost = snapshot.lost_files.find(variant.file);
      if (lost != snapshot.lost_files.end()) row.note += (row.note.empty() ? "" : "; ") + lost->second;
    }
  }
  return list;
}

} // namespace avocet
