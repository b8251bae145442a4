// Repetition-aware sampling (VALL-E 2), a block a row: the nucleus, a draw from it, and, where that occurred too often of late, one from everything
// else. The same decisions and random numbers as RasSampler's on the host: equal logits give equal tokens.
// logits [rows, LOGITS]; tokens [rows]: -1 where a logit is not finite.

#define THREADS 512
#define HISTORY 32
#define MAX_TOP 64
#define GROUPS 128     // of lanes; at least MAX_TOP
#define CANDIDATES 256 // no more than there are lanes

struct Draw
{
    u32 seed_low, seed_high;
    int position;
    int forbidden_first, forbidden_last; // no ids: first beyond last
    int allowed;                         // one of them that may be drawn all the same, or -1
    int top_k;
    float top_p;
    float temperature;                   // 0: the most likely one, always; then top_k is 1
    int history_count;
    double repetition_limit;
    int history[HISTORY];
};

// A number in [0, 1) with 53 random bits: Philox4x32-10 (Salmon et al., 2011).
__device__ double uniform(const Draw& draw, u32 number)
{
    u32 c0 = (u32)draw.position, c1 = number, c2 = 0, c3 = 0, k0 = draw.seed_low, k1 = draw.seed_high;
    for (int round = 0; round < 10; round++)
    {
        u64 product0 = (u64)0xD2511F53u * c0, product1 = (u64)0xCD9E8D57u * c2;
        u32 n0 = (u32)(product1 >> 32) ^ c1 ^ k0, n2 = (u32)(product0 >> 32) ^ c3 ^ k1;
        c1 = (u32)product1, c3 = (u32)product0, c0 = n0, c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    u64 bits = ((u64)c1 << 32) | c0;
    return (double)(bits >> 11) * (1.0 / 9007199254740992.0);
}

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
    for (int warp = 1; warp < THREADS / 32; warp++)
        best = better(best, shared[warp]);
    __syncthreads();
    return best;
}

__device__ double sum_of_block(double own, double* shared)
{
#pragma unroll
    for (int distance = 16; distance > 0; distance /= 2)
        own += __shfl_xor_sync(0xffffffffu, own, distance);
    if (threadIdx.x % 32 == 0)
        shared[threadIdx.x / 32] = own;
    __syncthreads();
    double sum = 0;
    for (int warp = 0; warp < THREADS / 32; warp++)
        sum += shared[warp];
    __syncthreads();
    return sum;
}

// Probabilities of the logits, where the largest is `peak`.
__device__ void softmax(const float* logits, float* probabilities, float peak, double* shared)
{
    double own = 0;
    for (int id = threadIdx.x; id < LOGITS; id += THREADS)
    {
        float p = expf(logits[id] - peak);
        probabilities[id] = p;
        own += p;
    }
    float scale = (float)(1 / sum_of_block(own, shared));
    for (int id = threadIdx.x; id < LOGITS; id += THREADS)
        probabilities[id] *= scale;
    __syncthreads();
}

__device__ Best own_best(const float* values)
{
    Best best = { -INFINITY, LOGITS };
    for (int id = threadIdx.x; id < LOGITS; id += THREADS)
        best = better(best, Best{ values[id], id });
    return best;
}

// The `limit` best ids in their order. Every group of lanes has a best one, and whatever is less than the limit-th best of those is not among the best
// of all; of the few that are left each finds its place by counting who is better.
// False where too many are left: many equal ones, say.
__device__ bool select(const float* probabilities, int limit, Best* groups, Best* candidates, int* count, Best* nucleus)
{
    const int group = threadIdx.x / (THREADS / GROUPS);
    Best own = own_best(probabilities);
#pragma unroll
    for (int distance = 1; distance < THREADS / GROUPS; distance *= 2)
    {
        Best other = { __shfl_xor_sync(0xffffffffu, own.value, distance), __shfl_xor_sync(0xffffffffu, own.id, distance) };
        own = better(own, other);
    }
    if (threadIdx.x % (THREADS / GROUPS) == 0)
        groups[group] = own;
    if (threadIdx.x == 0)
        *count = 0;
    __syncthreads();
    if (threadIdx.x < GROUPS)
    {
        const Best mine = groups[threadIdx.x];
        int rank = 0;
        for (int i = 0; i < GROUPS; i++)
            rank += groups[i].value > mine.value || (groups[i].value == mine.value && groups[i].id < mine.id);
        if (rank == limit - 1)
            candidates[0] = mine; // the bound, until the candidates are there
    }
    __syncthreads();
    const float bound = candidates[0].value;
    __syncthreads();
    for (int id = threadIdx.x; id < LOGITS; id += THREADS)
        if (probabilities[id] >= bound)
        {
            const int at = atomicAdd(count, 1);
            if (at < CANDIDATES)
                candidates[at] = Best{ probabilities[id], id };
        }
    __syncthreads();
    const int found = *count;
    if (found > CANDIDATES)
        return false;
    if (threadIdx.x < found)
    {
        const Best mine = candidates[threadIdx.x];
        int rank = 0;
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

extern "C" __global__ void __launch_bounds__(THREADS) draw(const float* all, const Draw* draws, int* tokens)
{
    extern __shared__ float shared[];
    float* logits = shared;
    float* probabilities = shared + LOGITS;
    __shared__ Best bests[THREADS / 32];
    __shared__ double doubles[THREADS / 32];
    __shared__ Best nucleus[MAX_TOP];
    __shared__ Best groups[GROUPS], candidates[CANDIDATES];
    __shared__ int token, found, last, candidate_count;
    __shared__ bool again;
    release_next();
    wait_for_previous();
    const int row = blockIdx.x;
    const Draw& how = draws[row];
    const float* given = all + (size_t)row * LOGITS;

    float fault = 0; // x - x is 0 for a finite number
    for (int id = threadIdx.x; id < LOGITS; id += THREADS)
    {
        float logit = given[id];
        fault += logit - logit;
        bool forbidden = id >= how.forbidden_first && id <= how.forbidden_last && id != how.allowed;
        logits[id] = forbidden ? -INFINITY : logit / (how.temperature > 0 ? how.temperature : 1);
    }
    if (__syncthreads_or(fault != 0))
    {
        if (threadIdx.x == 0)
            tokens[row] = -1;
        return;
    }
    softmax(logits, probabilities, best_of_block(own_best(logits), bests).value, doubles);

    // The nucleus: the most likely ids up to and including the one that crosses top_p.
    const int limit = max(1, min(min(how.top_k, MAX_TOP), LOGITS));
    if (!select(probabilities, limit, groups, candidates, &candidate_count, nucleus))
        select_one_by_one(probabilities, limit, bests, nucleus);
    __syncthreads();
    if (threadIdx.x == 0)
    {
        int count = 0;
        float cumulative = 0;
        while (count < limit && (count == 0 || cumulative < how.top_p))
            cumulative += nucleus[count++].value;
        double sum = 0;
        for (int i = 0; i < count; i++)
            sum += nucleus[i].value;
        const double target = uniform(how, 0) * sum;
        double passed = 0;
        int chosen = 0;
        for (int i = 0; i < count; i++)
        {
            if (nucleus[i].value <= 0)
                continue;
            chosen = i;
            passed += nucleus[i].value;
            if (passed > target)
                break;
        }
        token = nucleus[chosen].id;
        int recent = 0;
        for (int i = 0; i < how.history_count; i++)
            recent += how.history[i] == token;
        again = recent >= how.repetition_limit;
        found = LOGITS;
        last = -1;
        if (again)
            logits[token] = -INFINITY;
    }
    __syncthreads();
    if (again)
    {
        float peak = best_of_block(own_best(logits), bests).value;
        if (peak != -INFINITY && how.temperature == 0)
        {
            const Best best = best_of_block(own_best(logits), bests);
            if (threadIdx.x == 0)
                token = best.id;
        }
        else if (peak != -INFINITY) // else nothing else is allowed here
        {
            softmax(logits, probabilities, peak, doubles);
            // Every lane takes a piece of the ids; the pieces' sums before it say where it is in the whole.
            constexpr int PIECE = (LOGITS + THREADS - 1) / THREADS;
            const int from = threadIdx.x * PIECE, to = min(LOGITS, from + PIECE), lane = threadIdx.x % 32;
            double own = 0;
            for (int id = from; id < to; id++)
                own += probabilities[id];
            double before = own;
#pragma unroll
            for (int distance = 1; distance < 32; distance *= 2)
            {
                double other = __shfl_up_sync(0xffffffffu, before, distance);
                if (lane >= distance)
                    before += other;
            }
            if (lane == 31)
                doubles[threadIdx.x / 32] = before;
            __syncthreads();
            double sum = 0, passed = before - own;
            for (int warp = 0; warp < THREADS / 32; warp++)
            {
                if (warp < threadIdx.x / 32)
                    passed += doubles[warp];
                sum += doubles[warp];
            }
            const double target = uniform(how, 1) * sum;
            for (int id = from; id < to; id++)
            {
                if (probabilities[id] <= 0)
                    continue;
                atomicMax(&last, id);
                passed += probabilities[id];
                if (passed > target)
                {
                    atomicMin(&found, id);
                    break;
                }
            }
            __syncthreads();
            if (threadIdx.x == 0)
                token = found < LOGITS ? found : last;
        }
    }
    if (threadIdx.x == 0)
        tokens[row] = token;
}
