// The nucleus of a row's probabilities: the few most likely ids, found by a block, and the draw from it. For sampling.cu.

#define THREADS 512
#define DRAW_WARPS (THREADS / 32)
#define EACH ((LOGITS + THREADS - 1) / THREADS)
#define MAX_TOP 64
#define GROUPS 64      // of lanes; at least MAX_TOP
#define CANDIDATES 512 // no more than there are lanes

struct Best
{
    float value;
    int id;
};

// The larger value; of equal ones the earlier id, as a stable sort has it.
__device__ __forceinline__ Best better(Best a, Best b)
{
    return b.value > a.value || (b.value == a.value && b.id < a.id) ? b : a;
}

__device__ Best best_of_block(Best own, Best* shared)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
    {
        Best other = { __shfl_xor_sync(0xffffffffu, own.value, distance), __shfl_xor_sync(0xffffffffu, own.id, distance) };
        own = better(own, other);
    }
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = own;
    __syncthreads();
    Best best = shared[0];
    for (int warp = 1; warp < DRAW_WARPS; warp++)
        best = better(best, shared[warp]);
    __syncthreads();
    return best;
}

__device__ Best own_best(const float* values)
{
    Best best = { -INFINITY, LOGITS };
    for (int id = threadIdx.x; id < LOGITS; id += THREADS)
        best = better(best, Best{ values[id], id });
    return best;
}

// The `limit` best ids in their order. Every group of lanes has a best one, and whatever is less than the limit-th best of those is not among the
// best of all; of the few that are left each finds its place by counting who is better.
// False where too many are left: many equal ones, say.
__device__ bool select(const float (&probabilities)[EACH], int limit, float* groups, float* bound, Best* candidates, int* count, Best* nucleus)
{
    constexpr int LANES = THREADS / GROUPS;
    const int group = threadIdx.x / LANES, lane = threadIdx.x % LANES;
    float best = -INFINITY;
#pragma unroll
    for (int i = 0; i < EACH; i++)
        best = fmaxf(best, probabilities[i]);
#pragma unroll
    for (int distance = 1; distance < LANES; distance *= 2)
        best = fmaxf(best, __shfl_xor_sync(0xffffffffu, best, distance));
    if (lane == 0)
        groups[group] = best;
    if (threadIdx.x == 0)
        *count = 0;
    __syncthreads();
    int rank = 0;
#pragma unroll
    for (int i = 0; i < GROUPS / LANES; i++)
    {
        const int other = i * LANES + lane;
        rank += groups[other] > best || (groups[other] == best && other < group);
    }
#pragma unroll
    for (int distance = 1; distance < LANES; distance *= 2)
        rank += __shfl_xor_sync(0xffffffffu, rank, distance);
    if (rank == limit - 1 && lane == 0)
        *bound = best;
    __syncthreads();
#pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        const int id = threadIdx.x + i * THREADS;
        if (probabilities[i] >= *bound && id < LOGITS)
        {
            const int at = atomicAdd(count, 1);
            if (at < CANDIDATES)
                candidates[at] = Best{ probabilities[i], id };
        }
    }
    __syncthreads();
    const int found = *count;
    if (found > CANDIDATES)
        return false;
    if (threadIdx.x < found)
    {
        const Best mine = candidates[threadIdx.x];
        rank = 0;
#pragma unroll 8
        for (int i = 0; i < found; i++)
            rank += candidates[i].value > mine.value || (candidates[i].value == mine.value && candidates[i].id < mine.id);
        if (rank < limit)
            nucleus[rank] = mine;
    }
    return true;
}

// The same for any numbers, slowly.
__device__ void select_one_by_one(float* probabilities, int limit, Best* bests, Best* nucleus)
{
    Best mine = own_best(probabilities);
    for (int count = 0; count < limit; count++)
    {
        Best best = best_of_block(mine, bests);
        if (best.id == mine.id)
        {
            nucleus[count] = best;
            probabilities[best.id] = -1;
            mine = own_best(probabilities);
        }
    }
}

// Draws from the nucleus, in a warp: the most likely ids up to and including the one that crosses top_p. The sums go one by one, as the host's do.
__device__ int draw_from(const Best* nucleus, int limit, float top_p, double random)
{
    const int lane = threadIdx.x % 32;
    int count = 0;
    float cumulative = 0;
    double sum = 0, passed[MAX_TOP / 32] = {}; // up to this lane's candidates
#pragma unroll
    for (int i = 0; i < MAX_TOP; i++)
    {
        if (i >= limit || (i > 0 && !(cumulative < top_p)))
            break;
        cumulative += nucleus[i].value;
        sum += nucleus[i].value;
        if (lane == i % 32)
            passed[i / 32] = sum;
        count = i + 1;
    }
    // The first one whose share reaches beyond the target; where roundings leave none, the last one that has a share.
    const double target = random * sum;
    int first = MAX_TOP, last = 0;
#pragma unroll
    for (int part = MAX_TOP / 32 - 1; part >= 0; part--)
    {
        const int i = part * 32 + lane;
        const bool there = i < count && nucleus[i].value > 0;
        const u32 shares = __ballot_sync(0xffffffffu, there), beyond = __ballot_sync(0xffffffffu, there && passed[part] > target);
        if (beyond)
            first = part * 32 + __ffs(beyond) - 1;
        if (shares)
            last = max(last, part * 32 + 31 - __clz(shares));
    }
    return nucleus[first < MAX_TOP ? first : last].id;
}
