// The products of flow_products.cu by groups of four warps, which multiply what lies in shared memory (tiles.cuh).

#if BF16 && HEAD_DIM == 64 && HAS_GROUPS

// What this thread's copies brought is seen by the products of tiles that follow.
__device__ __forceinline__ void show_tiles() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// d[64, N] += a[64, 16] b[N, 16] of tiles of rows, of which each warp has 16 rows as at multiply_add. There after the wait.
__device__ __forceinline__ void multiply_rows(float (&d)[4][4], u64 a, u64 b)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %18, 0;\nwgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15}, %16, %17, p, 1, 1, 0, 0;\n}"
        : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3])
        : "l"(a), "l"(b), "r"(1));
}

__device__ __forceinline__ void multiply_rows(float (&d)[6][4], u64 a, u64 b)
{
    asm volatile("{\n.reg .pred p;\nsetp.ne.b32 p, %26, 0;\nwgmma.mma_async.sync.aligned.m64n48k16.f32.bf16.bf16 {"
        "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23}, %24, %25, p, 1, 1, 0, 0;\n}"
        : "+f"(d[0][0]), "+f"(d[0][1]), "+f"(d[0][2]), "+f"(d[0][3]), "+f"(d[1][0]), "+f"(d[1][1]), "+f"(d[1][2]), "+f"(d[1][3]),
        "+f"(d[2][0]), "+f"(d[2][1]), "+f"(d[2][2]), "+f"(d[2][3]), "+f"(d[3][0]), "+f"(d[3][1]), "+f"(d[3][2]), "+f"(d[3][3]),
        "+f"(d[4][0]), "+f"(d[4][1]), "+f"(d[4][2]), "+f"(d[4][3]), "+f"(d[5][0]), "+f"(d[5][1]), "+f"(d[5][2]), "+f"(d[5][3])
        : "l"(a), "l"(b), "r"(1));
}

// A block's product of up to 64 rows and OUTPUTS outputs, as FewRows. Shared memory from a multiple of
// 1,024 bytes on: a ring of the rows' tiles [RING][rows, 64], then the weights, from before the kernels before have ended, [stage][OUTPUTS, 64]; at
// the end the sums. Rows that are not there are what lies behind, whose sums nobody reads.
template <int INPUTS, int OUTPUTS_>
struct GroupRows
{
    static constexpr int THREADS = FEW_THREADS, ROWS = 64, OUTPUTS = OUTPUTS_;
    static constexpr int STAGE = 64, STAGES = INPUTS / STAGE, RING = 4, PITCH = OUTPUTS + 8;

    static __device__ __forceinline__ element* begin(const uint4* shared)
    {
        return (element*)(shared + (0u - (u32)__cvta_generic_to_shared(shared)) % 1024 / 16);
    }

    static __device__ __forceinline__ int slot(int rows) { return (rows + 7) / 8 * 8 * STAGE; }

    static __device__ __forceinline__ void fetch(uint4* shared, const element* weight, int rows)
    {
        constexpr int PARTS = INPUTS / 8;
        element* const tiles = begin(shared) + RING * slot(rows);
        for (int i = threadIdx.x; i < OUTPUTS * PARTS; i += THREADS)
        {
            const int output = i / PARTS, part = i % PARTS;
            copy_async(tiles + (part / 8 * OUTPUTS + output) * STAGE + ((part ^ output) & 7) * 8, weight + (size_t)output * INPUTS + part * 8);
        }
        commit_copies();
    }

    template <typename Meanwhile>
    static __device__ __forceinline__ void multiply(uint4* shared, const element* x, int first, int end, Meanwhile meanwhile)
    {
        const int lane = threadIdx.x % 32, rows = end - first, slot = GroupRows::slot(rows);
        const bool multiplies = threadIdx.x < 128;
        element* const ring = begin(shared);
        element* const weights = ring + RING * slot;
        auto load = [&](int stage)
        {
            if (stage < STAGES)
#pragma unroll
                for (int i = 0; i < ROWS * 8 / THREADS; i++)
                {
                    const int item = threadIdx.x + i * THREADS, row = item / 8, part = item % 8;
                    if (row < rows)
                        copy_async(ring + stage % RING * slot + row * STAGE + ((part ^ row) & 7) * 8,
                            x + (size_t)(first + row) * INPUTS + stage * STAGE + part * 8);
                }
            commit_copies();
        };
#pragma unroll
        for (int stage = 0; stage < RING - 1; stage++)
            load(stage);
        meanwhile();
        float sums[OUTPUTS / 8][4] = {};
#pragma unroll
        for (int stage = 0; stage < STAGES; stage++)
        {
            wait_copies<RING - 2>();
            show_tiles();
            if (multiplies)
                wait_products<0>(); // the tile before is read
            __syncthreads();
            if (multiplies)
            {
                const u64 a = describe_tile(ring + stage % RING * slot), b = describe_tile(weights + stage * OUTPUTS * STAGE);
                begin_products();
#pragma unroll
                for (int k = 0; k < STAGE / 16; k++)
                    multiply_rows(sums, a + 2 * k, b + 2 * k); // 32 bytes on
                commit_products();
            }
            load(stage + RING - 1);
        }
        wait_products<0>();
#pragma unroll
        for (int i = 0; i < OUTPUTS / 2; i++)
            asm volatile("" : "+f"(sums[i / 4][i % 4]) :: "memory");
        __syncthreads(); // nobody reads tiles
        if (multiplies)
        {
            float* const to = (float*)ring + (threadIdx.x / 32 * 16 + lane / 4) * PITCH + lane % 4 * 2;
#pragma unroll
            for (int n = 0; n < OUTPUTS / 8; n++)
            {
                *(float2*)(to + n * 8) = make_float2(sums[n][0], sums[n][1]);
                *(float2*)(to + 8 * PITCH + n * 8) = make_float2(sums[n][2], sums[n][3]);
            }
        }
        __syncthreads();
    }

    static __device__ __forceinline__ float2 sum(const uint4* shared, int row, int output)
    {
        return *(const float2*)((const float*)begin(shared) + row * PITCH + output);
    }
};

extern "C" __global__ void __launch_bounds__(FEW_THREADS) flow_project_group(const element* x, const float2* moments, const element* weight,
    const float* slope, const float* offset, const float* turns, const long long* places, int columns, element* qkv, element* pages,
    int count, float epsilon)
{
    normed_product<GroupRows<DIM, 48>>(x, moments, weight, count, epsilon,
        Projection { slope, offset, turns, places, columns, qkv, pages });
}

extern "C" __global__ void __launch_bounds__(FEW_THREADS) flow_up_group(const element* x, const float2* moments, const element* weight,
    const float* slope, const float* offset, element* y, int count, float epsilon)
{
    normed_product<GroupRows<DIM, 32>>(x, moments, weight, count, epsilon, Activation { slope, offset, y });
}

#endif
