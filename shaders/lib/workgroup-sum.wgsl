// Sum over a workgroup by a tree in shared memory; the order of additions is fixed, so results repeat.

override WORKGROUP: u32 = 64u;

var<workgroup> workgroup_sums: array<f32, WORKGROUP>;

// Every invocation of the workgroup must call it; all get the sum. WORKGROUP is a power of two.
fn workgroup_sum(value: f32, lane: u32) -> f32 {
  workgroup_sums[lane] = value;
  workgroupBarrier();
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      workgroup_sums[lane] += workgroup_sums[lane + half];
    }
    workgroupBarrier();
  }
  let total = workgroup_sums[0];
  // The next call overwrites the array.
  workgroupBarrier();
  return total;
}
