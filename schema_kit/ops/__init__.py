"""The Alembic door: operations as inert data, and what turns each into a plan.

Importing this package registers them with ``alembic.op``; `schema_kit.op` is the same, typed.
"""

from schema_kit import autogenerate as autogenerate  # registers what diffs leave out
from schema_kit.ops.archives import (
    CreateArchiveTableOp,
    DropArchivePolicyOp,
    DropArchiveTableOp,
    RepairArchiveTableOp,
    SetArchivePolicyOp,
)
from schema_kit.ops.baseline import CreateBaselineOp, CreateExtensionOp, DropBaselineOp, DropExtensionOp
from schema_kit.ops.batches import UpdateInBatchesOp
from schema_kit.ops.columns import (
    AddColumnConcurrentlyOp,
    AlterColumnConcurrentlyOp,
    DropColumnConcurrentlyOp,
    DropTableConcurrentlyOp,
)
from schema_kit.ops.constraints import (
    CreateCheckConstraintConcurrentlyOp,
    CreateForeignKeyConcurrentlyOp,
    CreatePrimaryKeyConcurrentlyOp,
    CreateUniqueConstraintConcurrentlyOp,
    SetNotNullConcurrentlyOp,
    ValidateConstraintOp,
)
from schema_kit.ops.copying import DrainDefaultConcurrentlyOp, SplitPartitionConcurrentlyOp
from schema_kit.ops.creation import CreatePartitionedTableOp, by_hash, by_list
from schema_kit.ops.door import PlanOperation, Settings, lock_policy, operations, written
from schema_kit.ops.enums import AddEnumValueConcurrentlyOp
from schema_kit.ops.health import HeedHealthFindingOp, IgnoreHealthFindingOp
from schema_kit.ops.indexes import (
    CreateIndexConcurrentlyOp,
    DropIndexConcurrentlyOp,
    ReindexConcurrentlyOp,
    ReplaceIndexConcurrentlyOp,
)
from schema_kit.ops.partitions import ConvertToPartitionedOp, CreatePartConfigOp, DropPartConfigOp, UnpartitionOp
from schema_kit.ops.partman import InstallPartmanSqlOp, RemovePartmanSqlOp
from schema_kit.ops.policies import (
    CreateNextPartitionsOp,
    DropPartitionPolicyOp,
    DropRetentionOp,
    SetPartitionPolicyOp,
)
from schema_kit.ops.restoring import RestoreArchiveTableOp
from schema_kit.ops.retirement import (
    AttachPartitionConcurrentlyOp,
    DetachPartitionConcurrentlyOp,
    DropPartitionConcurrentlyOp,
)
from schema_kit.ops.ttl import DropTtlPolicyOp, SetTtlPolicyOp
from schema_kit.ops.views import RefreshMaterializedViewConcurrentlyOp

__all__ = [
    "AddColumnConcurrentlyOp",
    "AddEnumValueConcurrentlyOp",
    "AlterColumnConcurrentlyOp",
    "AttachPartitionConcurrentlyOp",
    "ConvertToPartitionedOp",
    "CreateArchiveTableOp",
    "CreateBaselineOp",
    "CreateCheckConstraintConcurrentlyOp",
    "CreateExtensionOp",
    "CreateForeignKeyConcurrentlyOp",
    "CreateIndexConcurrentlyOp",
    "CreateNextPartitionsOp",
    "CreatePartConfigOp",
    "CreatePartitionedTableOp",
    "CreatePrimaryKeyConcurrentlyOp",
    "CreateUniqueConstraintConcurrentlyOp",
    "DetachPartitionConcurrentlyOp",
    "DrainDefaultConcurrentlyOp",
    "DropArchivePolicyOp",
    "DropArchiveTableOp",
    "DropBaselineOp",
    "DropColumnConcurrentlyOp",
    "DropExtensionOp",
    "DropIndexConcurrentlyOp",
    "DropPartConfigOp",
    "DropPartitionConcurrentlyOp",
    "DropPartitionPolicyOp",
    "DropRetentionOp",
    "DropTableConcurrentlyOp",
    "DropTtlPolicyOp",
    "HeedHealthFindingOp",
    "IgnoreHealthFindingOp",
    "InstallPartmanSqlOp",
    "PlanOperation",
    "RefreshMaterializedViewConcurrentlyOp",
    "ReindexConcurrentlyOp",
    "RemovePartmanSqlOp",
    "RepairArchiveTableOp",
    "ReplaceIndexConcurrentlyOp",
    "RestoreArchiveTableOp",
    "SetArchivePolicyOp",
    "SetNotNullConcurrentlyOp",
    "SetPartitionPolicyOp",
    "SetTtlPolicyOp",
    "Settings",
    "SplitPartitionConcurrentlyOp",
    "UnpartitionOp",
    "UpdateInBatchesOp",
    "ValidateConstraintOp",
    "by_hash",
    "by_list",
    "lock_policy",
    "operations",
    "written",
]
