// The products of flow_products.cu by single warps.

#if BF16 && HEAD_DIM == 64 && !HAS_GROUPS

// Sum and sum of squares about their mean of each slot of rows [first, first + ROWS) -> mean and 1 / deviation of each row.
template <int ROWS, int THREADS>
__device__ __forceinline__ void share_moments(float2* shared, const float2* moments, int first, int end, float epsilon)
{
    constexpr int LANES = THREADS / ROWS, EACH = SLOTS / LANES;
    const float2* own = moments + (size_t)min(first + (int)threadIdx.x / LANES, end - 1) * SLOTS + threadIdx.x % LANES;
    float2 slot[EACH];
    float sum = 0, squares = 0;
#pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        slot[i] = own[i * LANES];
        sum += slot[i].x;
    }
#pragma unroll
    for (int distance = LANES / 2; distance > 0; distance /= 2)
        sum += __shfl_xor_sync(0xffffffffu, sum, distance);
    const float mean = sum / DIM;
#pragma unroll
    for (int i = 0; i < EACH; i++)
    {
        const float away = slot[i].x / SLOT - mean;
        squares += slot[i].y + SLOT * away * away;
    }
#pragma unroll
    for (int distance = LANES / 2; distance > 0; distance /= 2)
        squares += __shfl_xor_sync(0xffffffffu, squares, distance);
    if (threadIdx.x % LANES == 0)
        shared[threadIdx.x / LANES] = make_float2(mean, rsqrtf(squares / DIM + epsilon));
}

__device__ __forceinline__ uint4 load_or_zero(const element* row, int at)
{
    return row != nullptr ? load_fresh(row + at) : make_uint4(0, 0, 0, 0);
}

// A block's product of ROWS rows and OUTPUTS outputs. The weights wait in shared memory from before the kernels before have ended; a warp takes 32
// rows and a part of the inputs, of which it alone reads its rows, from memory to registers. The inputs' order within 32 is the lanes': what a lane
// holds of both sides belongs together, whatever the tensor cores call it.
template <int INPUTS, int ROWS_, int OUTPUTS_>
struct FewRows
{
    static constexpr int THREADS = FEW_THREADS, ROWS = ROWS_, OUTPUTS = OUTPUTS_;
    static constexpr int SPLITS = FEW_THREADS / 32 / (ROWS / 32); // warps that share the inputs
    static constexpr int EACH = INPUTS / SPLITS, STEPS = EACH / 32;
    static constexpr int AHEAD = STEPS < 4 ? STEPS : OUTPUTS > 32 ? 3 : 4;
    static constexpr int PITCH = INPUTS + 32;     // so that 8 lanes' words lie in different banks

    // Before the wait.
    static __device__ __forceinline__ void fetch(uint4* shared, const element* weight, int)
    {
        constexpr int PARTS = INPUTS / 8;
        for (int i = threadIdx.x; i < OUTPUTS * PARTS; i += FEW_THREADS)
            copy_async((element*)shared + i / PARTS * PITCH + i % PARTS * 8, weight + (size_t)(i / PARTS) * INPUTS + i % PARTS * 8);
        commit_copies();
    }

    // After it: the sums of every part of the inputs to shared memory; `meanwhile` goes between the first loads and their use.
    template <typename Meanwhile>
    static __device__ __forceinline__ void multiply(uint4* shared, const element* x, int first, int end, Meanwhile meanwhile)
    {
        const int warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
        const int part = warp % (ROWS / 32), split = warp / (ROWS / 32);
        const element* own[4]; // null: a row that is not there
#pragma unroll
        for (int i = 0; i < 4; i++)
        {
            const int row = first + part * 32 + i * 8 + g;
            own[i] = row < end ? x + (size_t)row * INPUTS + split * EACH + t * 8 : nullptr;
        }
        uint4 ahead[AHEAD][4];
#pragma unroll
        for (int step = 0; step < AHEAD; step++)
#pragma unroll
            for (int i = 0; i < 4; i++)
                ahead[step][i] = load_or_zero(own[i], step * 32);
        meanwhile();
        wait_copies<0>();
        __syncthreads();
        const element* const tile = (const element*)shared + g * PITCH + split * EACH + t * 8;
        float sums[2][OUTPUTS / 8][4] = {};
#pragma unroll
        for (int step = 0; step < STEPS; step++)
        {
            uint4 a[4];
#pragma unroll
            for (int i = 0; i < 4; i++)
            {
                a[i] = ahead[step % AHEAD][i];
                if (step + AHEAD < STEPS)
                    ahead[step % AHEAD][i] = load_or_zero(own[i], (step + AHEAD) * 32);
            }
#pragma unroll
            for (int n = 0; n < OUTPUTS / 8; n++)
            {
                const uint4 b = *(const uint4*)(tile + n * 8 * PITCH + step * 32);
#pragma unroll
                for (int m = 0; m < 2; m++)
                {
                    multiply_add(sums[m][n], a[2 * m].x, a[2 * m + 1].x, a[2 * m].y, a[2 * m + 1].y, b.x, b.y);
                    multiply_add(sums[m][n], a[2 * m].z, a[2 * m + 1].z, a[2 * m].w, a[2 * m + 1].w, b.z, b.w);
                }
            }
        }
        __syncthreads(); // nobody reads the weights
        share_sums<ROWS, OUTPUTS>(shared, sums, split, part);
        __syncthreads();
    }

    static __device__ __forceinline__ float2 sum(const uint4* shared, int row, int output) { return gather_sums<ROWS, OUTPUTS>(shared, row, output); }
};

// The norm's product: x [count, DIM] scaled, moments [count, SLOTS], weight [*, DIM].
template <typename Product, typename Finish>
__device__ __forceinline__ void normed_product(const element* x, const float2* moments, const element* weight, int count,
    float epsilon, const Finish& finish)
{
    constexpr int ROWS = Product::ROWS, OUTPUTS = Product::OUTPUTS, THREADS = Product::THREADS;
    extern __shared__ uint4 shared[];
    __shared__ float2 of_rows[ROWS];
    __shared__ element* to[ROWS];
    __shared__ __align__(8) float slope[OUTPUTS];
    __shared__ __align__(8) float offset[OUTPUTS];
    const int output = blockIdx.x * OUTPUTS, each = (count + gridDim.y - 1) / gridDim.y;
    const int first = blockIdx.y * each, end = min(first + each, count); // as many for every block: what is read is what takes time
    release_next();
    const element* const own = weight + (size_t)output * DIM;
    Product::fetch(shared, own, end - first);
    for (int i = threadIdx.x; i < ROWS; i += THREADS)
        to[i] = finish.row(min(first + i, end - 1), count);
    for (int i = threadIdx.x; i < OUTPUTS; i += THREADS)
    {
        slope[i] = finish.slope[output + i];
        offset[i] = finish.offset[output + i];
    }
    wait_for_previous();
    Product::multiply(shared, x, first, end, [&] { share_moments<ROWS, THREADS>(of_rows, moments, first, end, epsilon); });
#pragma unroll 4
    for (int i = 0; i < ROWS * OUTPUTS / 2 / THREADS; i++)
    {
        const int at = threadIdx.x + i * THREADS, row = at / (OUTPUTS / 2), within = at % (OUTPUTS / 2) * 2;
        const float2 sum = Product::sum(shared, row, within), moment = of_rows[row];
        const float2 tilt = *(const float2*)(slope + within), lift = *(const float2*)(offset + within);
        if (first + row < end)
            finish.finish(first + row, to[row], output + within, count, (sum.x - moment.x * tilt.x) * moment.y + lift.x,
                (sum.y - moment.x * tilt.y) * moment.y + lift.y);
    }
}

// h [count, DIM] += gate * (x Wᵀ + bias); then scaled = h * scale and the moments of h. A slot's numbers are a block's.
template <int INPUTS>
__device__ __forceinline__ void added_product(const element* x, const element* weight, const element* bias, const float* gate, const float* scale,
    float* h, element* scaled, float2* moments, int count)
{
    constexpr int ROWS = 32;
    using Product = FewRows<INPUTS, ROWS, SLOT>;
    extern __shared__ uint4 shared[];
    const int each = (count + gridDim.y - 1) / gridDim.y, first = blockIdx.y * each, end = min(first + each, count);
    const int within = threadIdx.x % 16 * 2, output = blockIdx.x * SLOT + within;
    release_next();
    const element* const own = weight + (size_t)blockIdx.x * SLOT * INPUTS;
    Product::fetch(shared, own, end - first);
    const float2 gates = *(const float2*)(gate + output), scales = *(const float2*)(scale + output);
    const float bias0 = widen(bias[output]), bias1 = widen(bias[output + 1]);
    wait_for_previous();
    float2 before[2];
    Product::multiply(shared, x, first, end, [&]
    {
#pragma unroll
        for (int i = 0; i < 2; i++)
            before[i] = *(const float2*)(h + (size_t)min(first + (int)threadIdx.x / 16 + i * 16, end - 1) * DIM + output);
    });
#pragma unroll
    for (int i = 0; i < 2; i++)
    {
        const int row = threadIdx.x / 16 + i * 16;
        const float2 sum = gather_sums<ROWS, SLOT>(shared, row, within);
        const float x0 = before[i].x + (sum.x + bias0) * gates.x, x1 = before[i].y + (sum.y + bias1) * gates.y;
        const float2 slot = moments_of_slot(x0, x1);
        if (first + row >= end)
            continue;
        *(float2*)(h + (size_t)(first + row) * DIM + output) = make_float2(x0, x1);
        *(u32*)(scaled + (size_t)(first + row) * DIM + output) = narrow_pair(x0 * scales.x, x1 * scales.y);
        if (threadIdx.x % 16 == 0)
            moments[(size_t)(first + row) * SLOTS + blockIdx.x] = slot;
    }
}

extern "C" __global__ void __launch_bounds__(FEW_THREADS, 2) flow_project_few(const element* x, const float2* moments, const element* weight,
    const float* slope, const float* offset, const float* turns, const long long* places, int columns, element* qkv, element* pages,
    int count, float epsilon)
{
    normed_product<FewRows<DIM, 64, 48>>(x, moments, weight, count, epsilon,
        Projection { slope, offset, turns, places, columns, qkv, pages });
}

extern "C" __global__ void __launch_bounds__(FEW_THREADS, 2) flow_up_few(const element* x, const float2* moments, const element* weight,
    const float* slope, const float* offset, element* y, int count, float epsilon)
{
    normed_product<FewRows<DIM, 64, 32>>(x, moments, weight, count, epsilon, Activation { slope, offset, y });
}

extern "C" __global__ void __launch_bounds__(FEW_THREADS, 2) flow_out_few(const element* x, const element* weight, const element* bias,
    const float* gate, const float* scale, float* h, element* scaled, float2* moments, int count)
{
    added_product<DIM>(x, weight, bias, gate, scale, h, scaled, moments, count);
}

extern "C" __global__ void __launch_bounds__(FEW_THREADS, 2) flow_down_few(const element* x, const element* weight, const element* bias,
    const float* gate, const float* scale, float* h, element* scaled, float2* moments, int count)
{
    added_product<HIDDEN>(x, weight, bias, gate, scale, h, scaled, moments, count);
}

#endif
